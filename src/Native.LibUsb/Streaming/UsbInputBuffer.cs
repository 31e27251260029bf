using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// What one transfer of a ring brought. Dispose it, and the ring has the memory again; after that every member throws. A copy is the same buffer.
/// </summary>
public readonly struct UsbInputBuffer : IDisposable, IEquatable<UsbInputBuffer>
{
    private readonly RingSlot? _slot;
    private readonly long _loan;

    internal UsbInputBuffer(RingSlot slot)
    {
        _slot = slot;
        _loan = slot.Loan;
    }

    /// <summary>Whether there is nothing: the ring has stopped and all is read.</summary>
    public bool IsNone => _slot is null;

    /// <summary>Gets the ring that lent the buffer.</summary>
    public UsbInputRing Ring => Unsafe.As<UsbInputRing>(Slot().Ring);

    /// <summary>The number of this transfer, counted from 0 in the order of submission. Numbers that are missing were dropped, or had nothing to tell.</summary>
    public long Sequence => Slot().Sequence;

    /// <summary>How the transfer ended. Whatever it is, the data is good: the bus has checked each packet.</summary>
    public UsbTransferStatus Status => Slot().Status;

    /// <summary>Bytes that arrived; of isochronous transfers the sum of the packets. 0 with a good status is a zero-length packet.</summary>
    public int Length => Slot().Length;

    /// <summary>Whether it ended with a packet that was not full, which is how devices mark the end of a message.</summary>
    public bool EndsWithShortPacket
    {
        get
        {
            RingSlot slot = Slot();
            return slot.Status == UsbTransferStatus.Completed && slot.Length < slot.Memory.Length && !slot.Ring.Plan.IsIsochronous;
        }
    }

    /// <summary>What was thrown away before it because the reader was late.</summary>
    public UsbRingLoss LostBefore => Slot().LostBefore;

    /// <summary>When it ended, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> counts.</summary>
    public long Timestamp => Slot().Timestamp;

    /// <summary>What arrived. Valid until the buffer is disposed; later it may change, but never goes away.</summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous: its packets have gaps between them. Use <see cref="Packets"/>.</exception>
    public ReadOnlySpan<byte> Data => Memory.Span;

    /// <summary>The same as memory.</summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous: use <see cref="Packets"/>.</exception>
    public ReadOnlyMemory<byte> Memory
    {
        get
        {
            RingSlot slot = Slot();
            if (slot.Ring.Plan.IsIsochronous)
                ThrowIsochronous();
            return slot.Memory[..slot.Length];
        }
    }

    /// <summary>The isochronous packets, good or bad, for <c>foreach</c>; none of other transfers.</summary>
    public UsbRingPackets Packets => new(Slot());

    /// <summary>How many isochronous packets had their turn.</summary>
    public int PacketCount => Slot().Packets;

    /// <summary>
    /// The number of the first packet, counted from 0: packets of transfers that were dropped or failed are counted, so that a number that follows
    /// another is a service interval that follows another.
    /// </summary>
    public long FirstPacket
    {
        get
        {
            RingSlot slot = Slot();
            return slot.Sequence * slot.Ring.Plan.Packets;
        }
    }

    /// <summary>Copies what arrived: of isochronous transfers the good packets, one after the other.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    /// <returns>Bytes that were written.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int CopyTo(Span<byte> destination)
    {
        RingSlot slot = Slot();
        if (!slot.Ring.Plan.IsIsochronous)
        {
            slot.Memory.Span[..slot.Length].CopyTo(destination);
            return slot.Length;
        }

        int written = 0;
        foreach (UsbRingPacket packet in Packets)
        {
            if (packet.Status != UsbTransferStatus.Completed)
                continue;
            packet.Data.CopyTo(destination[written..]);
            written += packet.Data.Length;
        }

        return written;
    }

    /// <summary>Gives it back to the ring. May be called more than once, also when the ring is disposed.</summary>
    public void Dispose()
    {
        if (_slot is { } slot)
            ((UsbInputRing)slot.Ring).Return(slot, _loan);
    }

    /// <summary>Whether both are the same buffer.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(UsbInputBuffer other) => _slot == other._slot && _loan == other._loan;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is UsbInputBuffer other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_slot, _loan);

    /// <summary>Whether both are the same buffer.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(UsbInputBuffer left, UsbInputBuffer right) => left.Equals(right);

    /// <summary>Whether they are different buffers.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(UsbInputBuffer left, UsbInputBuffer right) => !left.Equals(right);

    private RingSlot Slot()
    {
        if (_slot is null || _slot.Loan != _loan)
            ThrowGone();
        return _slot;
    }

    [DoesNotReturn]
    private static void ThrowGone() => throw new ObjectDisposedException(nameof(UsbInputBuffer));

    [DoesNotReturn]
    private static void ThrowIsochronous() => throw new InvalidOperationException("The data of an isochronous transfer is in its packets: use Packets or CopyTo.");
}
