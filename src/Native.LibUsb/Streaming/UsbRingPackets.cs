using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Enumerates the isochronous packets of a buffer, in the order of their service intervals. The enumerator is valid until the buffer is disposed.
/// </summary>
public ref struct UsbRingPackets
{
    private readonly int _packetSize;
    private ref libusb_iso_packet_descriptor _next;
    private ref byte _nextData;
    private long _nextNumber;
    private int _left;

    internal UsbRingPackets(RingTransfer transfer)
    {
        _next = ref MemoryMarshal.GetArrayDataReference(transfer.Descriptors);
        _nextData = ref transfer.Start;
        _nextNumber = transfer.FirstPacket;
        _packetSize = transfer.PacketSize;
        _left = transfer.Packets; // at most the number of descriptors
    }

    /// <summary>Gets the packet to which <see cref="MoveNext"/> has advanced.</summary>
    public UsbRingPacket Current { get; private set; }

    /// <summary>Returns this enumerator, so that it can be used in <c>foreach</c>.</summary>
    public readonly UsbRingPackets GetEnumerator() => this;

    /// <summary>Advances to the next packet.</summary>
    /// <returns>Whether there is one.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_left == 0)
            return false;
        _left--;
        Current = new UsbRingPacket(_nextNumber, ref _next, ref _nextData);
        _nextNumber++;
        _next = ref Unsafe.Add(ref _next, 1);
        _nextData = ref Unsafe.Add(ref _nextData, _packetSize);
        return true;
    }
}
