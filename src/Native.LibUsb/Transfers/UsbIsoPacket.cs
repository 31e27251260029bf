using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents one packet of an isochronous transfer.</summary>
/// <remarks>
/// The default value is no packet, as is <see cref="UsbIsoPacketEnumerator.Current"/> before <see cref="UsbIsoPacketEnumerator.MoveNext"/>: its members throw
/// <see cref="NullReferenceException"/>. A check would cost time for every packet.
/// </remarks>
public readonly unsafe ref struct UsbIsoPacket
{
    private readonly libusb_iso_packet_descriptor* _descriptor;
    private readonly byte* _data;

    internal UsbIsoPacket(libusb_iso_packet_descriptor* descriptor, byte* data)
    {
        _descriptor = descriptor;
        _data = data;
    }

    /// <summary>Gets how this packet ended. <see cref="UsbTransferStatus.Completed"/> with no bytes: the device had nothing to send.</summary>
    public UsbTransferStatus Status => (UsbTransferStatus)_descriptor->status;

    /// <summary>Gets the bytes requested.</summary>
    public int Length => (int)_descriptor->length;

    /// <summary>Gets the number of bytes that moved.</summary>
    public int ActualLength => (int)_descriptor->actual_length;

    /// <summary>Gets the data that moved.</summary>
    public ReadOnlySpan<byte> Data => MemoryMarshal.CreateReadOnlySpan(ref *_data, (int)_descriptor->actual_length); // never negative: no check of it

    /// <summary>Gets the packet's whole place in the buffer, as long as requested.</summary>
    public Span<byte> Buffer => new(_data, (int)_descriptor->length);

    /// <summary>Gets the status and the data, for <c>foreach (var (status, data) in transfer.IterIso())</c>.</summary>
    /// <param name="status">How the packet ended.</param>
    /// <param name="data">What moved.</param>
    public void Deconstruct(out UsbTransferStatus status, out ReadOnlySpan<byte> data)
    {
        status = Status;
        data = Data;
    }
}
