using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents one isochronous packet of a buffer. The packet is valid until the buffer is disposed.</summary>
public readonly ref struct UsbRingPacket
{
    private readonly ref libusb_iso_packet_descriptor _descriptor;
    private readonly ref byte _memory;

    internal UsbRingPacket(long number, ref libusb_iso_packet_descriptor descriptor, ref byte memory)
    {
        Number = number;
        _descriptor = ref descriptor;
        _memory = ref memory;
    }

    /// <summary>Gets the number of the packet, counted from 0. Each service interval of the endpoint has one number.</summary>
    public long Number { get; }

    /// <summary>Gets the status of the packet. If a completed packet has no data, the device had nothing to send.</summary>
    public UsbTransferStatus Status
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (UsbTransferStatus)_descriptor.status;
    }

    /// <summary>Gets the bytes that arrived.</summary>
    public ReadOnlySpan<byte> Data
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MemoryMarshal.CreateReadOnlySpan(ref _memory, (int)_descriptor.actual_length); // the ring has checked the length
    }

    /// <summary>Deconstructs the packet into its status and its data, as in <c>foreach (var (status, data) in buffer.Packets)</c>.</summary>
    /// <param name="status">The status of the packet.</param>
    /// <param name="data">The bytes that arrived.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Deconstruct(out UsbTransferStatus status, out ReadOnlySpan<byte> data)
    {
        status = Status;
        data = Data;
    }
}
