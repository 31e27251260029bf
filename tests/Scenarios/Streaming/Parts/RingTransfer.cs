using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

// Replaces the part of RingTransfer that needs libusb. A transfer in these tests has no native transfer and no memory.
internal sealed partial class RingTransfer
{
    /// <param name="index">The index of the transfer in the ring.</param>
    /// <param name="packets">The maximum number of isochronous packets; 0 if the transfer is not isochronous.</param>
    public RingTransfer(int index, int packets = 0)
    {
        Index = index;
        Descriptors = new libusb_iso_packet_descriptor[packets];
        PacketSize = packets == 0 ? 0 : 1024;
    }

    /// <summary>Returns the transfers of a ring.</summary>
    public static RingTransfer[] Several(int count) => [.. Enumerable.Range(0, count).Select(static index => new RingTransfer(index))];
}
