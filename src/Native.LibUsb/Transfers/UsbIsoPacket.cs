using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents one packet of an isochronous transfer.</summary>
/// <remarks>
/// The default value of this structure represents no packet, and its members throw <see cref="NullReferenceException"/>.
/// <see cref="UsbIsoPacketEnumerator.Current"/> has the default value before the first call of <see cref="UsbIsoPacketEnumerator.MoveNext"/>. The members do
/// not check for the default value, because a check would cost time for every packet.
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

    /// <summary>
    /// Gets the status with which this packet ended. If the status is <see cref="UsbTransferStatus.Completed"/> and the packet has no bytes, the device had no
    /// data to send.
    /// </summary>
    public UsbTransferStatus Status => (UsbTransferStatus)_descriptor->status;

    /// <summary>Gets the number of bytes that were requested.</summary>
    public int Length => (int)_descriptor->length;

    /// <summary>Gets the number of bytes that were transferred.</summary>
    public int ActualLength => (int)_descriptor->actual_length;

    /// <summary>Gets the data that was transferred.</summary>
    public ReadOnlySpan<byte> Data => MemoryMarshal.CreateReadOnlySpan(ref *_data, (int)_descriptor->actual_length); // the length is never negative

    /// <summary>Gets the packet's part of the buffer, of the requested length.</summary>
    public Span<byte> Buffer => new(_data, (int)_descriptor->length);

    /// <summary>Deconstructs the packet into its status and its data, as in <c>foreach (var (status, data) in transfer.IterIso())</c>.</summary>
    /// <param name="status">The status with which the packet ended.</param>
    /// <param name="data">The data that was transferred.</param>
    public void Deconstruct(out UsbTransferStatus status, out ReadOnlySpan<byte> data)
    {
        status = Status;
        data = Data;
    }
}
