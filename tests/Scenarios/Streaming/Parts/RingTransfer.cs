using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

// Replaces the part of the library that needs libusb: this transfer has no native one and no memory.
internal sealed partial class RingTransfer
{
    /// <param name="index">The place among the transfers.</param>
    /// <param name="packets">The isochronous packets; 0 for another transfer.</param>
    public RingTransfer(int index, int packets = 0)
    {
        Index = index;
        Descriptors = new libusb_iso_packet_descriptor[packets];
        PacketSize = packets == 0 ? 0 : 1024;
    }

    /// <summary>Returns the transfers of a ring.</summary>
    public static RingTransfer[] Several(int count) => [.. Enumerable.Range(0, count).Select(static index => new RingTransfer(index))];
}
