using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Enumerates the isochronous packets of a buffer, in the order of their service intervals. Valid until the buffer is disposed.</summary>
public ref struct UsbRingPackets
{
    private readonly ref libusb_iso_packet_descriptor _descriptors;
    private readonly ref byte _memory;
    private readonly long _firstNumber;
    private readonly int _packetSize;
    private readonly int _count;
    private int _index;

    internal UsbRingPackets(RingTransfer transfer)
    {
        _descriptors = ref MemoryMarshal.GetArrayDataReference(transfer.Descriptors);
        _memory = ref transfer.Start;
        _count = transfer.Packets; // at most as many as there are descriptors
        _packetSize = transfer.PacketSize;
        _firstNumber = transfer.Sequence * transfer.Descriptors.Length;
        _index = -1;
    }

    /// <summary>Gets the packet that <see cref="MoveNext"/> reached. Without a call of <see cref="MoveNext"/> that returned true, the property throws.</summary>
    /// <exception cref="InvalidOperationException">There is no current packet.</exception>
    public readonly UsbRingPacket Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)_index >= (uint)_count)
                ThrowNoCurrent();
            return new UsbRingPacket(
                _firstNumber + _index, ref Unsafe.Add(ref _descriptors, _index), ref Unsafe.Add(ref _memory, (nint)_index * _packetSize), _packetSize);
        }
    }

    /// <summary>Returns this enumerator, so that it can be used in <c>foreach</c>.</summary>
    public readonly UsbRingPackets GetEnumerator() => this;

    /// <summary>Goes to the next packet.</summary>
    /// <returns>Whether there is one.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        int next = _index + 1;
        if (next >= _count)
        {
            _index = _count;
            return false;
        }

        _index = next;
        return true;
    }

    private static void ThrowNoCurrent() => throw new InvalidOperationException("There is no current packet: call MoveNext first, and stop when it returns false.");
}
