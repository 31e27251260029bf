namespace Native.LibUsb.Streaming;

/// <summary>The isochronous packets of a buffer.</summary>
public ref struct UsbRingPackets
{
    private readonly RingSlot _slot;
    private readonly ReadOnlySpan<byte> _memory;
    private readonly int _packetSize;
    private int _index;

    internal UsbRingPackets(RingSlot slot)
    {
        _slot = slot;
        _memory = slot.Memory.Span;
        _packetSize = slot.Ring.Plan.PacketSize;
        _index = -1;
    }

    /// <summary>The packet that <see cref="MoveNext"/> reached.</summary>
    public readonly UsbRingPacket Current => new(
        (_slot.Sequence * _slot.Ring.Plan.Packets) + _index,
        (UsbTransferStatus)_slot.PacketStatuses[_index],
        _memory.Slice(_index * _packetSize, _slot.PacketLengths[_index]));

    /// <summary>This enumerator, so that <c>foreach</c> takes it.</summary>
    public readonly UsbRingPackets GetEnumerator() => this;

    /// <summary>Goes to the next packet.</summary>
    /// <returns>Whether there is one.</returns>
    public bool MoveNext() => ++_index < _slot.Packets;
}
