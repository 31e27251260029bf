using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Memory of a ring to be filled and committed. After that, or after disposing it, every member throws. A copy is the same buffer.</summary>
public readonly struct UsbOutputBuffer : IDisposable, IEquatable<UsbOutputBuffer>
{
    private readonly RingSlot? _slot;
    private readonly long _loan;

    internal UsbOutputBuffer(RingSlot slot)
    {
        _slot = slot;
        _loan = slot.Loan;
    }

    /// <summary>Gets the ring that lent the buffer.</summary>
    public UsbOutputRing Ring => Unsafe.As<UsbOutputRing>(Slot().Ring);

    /// <summary>Where to write: the size of one transfer. What was in it before is still there.</summary>
    public Memory<byte> Memory => Slot().Memory;

    /// <summary>The same as a span.</summary>
    public Span<byte> Span => Slot().Memory.Span;

    /// <summary>Hands it over to be sent, behind what was committed before.</summary>
    /// <param name="length">
    /// Bytes to send, from the first; 0 is a zero-length packet. Isochronous: they fill the packets in turn, the last one perhaps not whole; at
    /// least 1.
    /// </param>
    /// <param name="endOfMessage">
    /// Whether a zero-length packet follows when the last packet is full, so that the device sees the end. Not for isochronous endpoints.
    /// Not supported by every system.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The length is not within the buffer.</exception>
    /// <exception cref="ArgumentException">Isochronous messages have no such end.</exception>
    /// <exception cref="ObjectDisposedException">It was committed or disposed before.</exception>
    public void Commit(int length, bool endOfMessage = false)
    {
        RingSlot slot = Slot();
        bool isochronous = slot.Ring.Plan.IsIsochronous;
        if (length < (isochronous ? 1 : 0) || length > slot.Memory.Length)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"The buffer has {slot.Memory.Length} bytes.");
        if (endOfMessage && isochronous)
            throw new ArgumentException("Isochronous packets are not messages.", nameof(endOfMessage));
        ((UsbOutputRing)slot.Ring).Return(slot, _loan, length, endOfMessage);
    }

    /// <summary>Gives it back without sending anything, unless it was committed. May be called more than once.</summary>
    public void Dispose()
    {
        if (_slot is { } slot)
            ((UsbOutputRing)slot.Ring).Return(slot, _loan, -1, false);
    }

    /// <summary>Whether both are the same buffer.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(UsbOutputBuffer other) => _slot == other._slot && _loan == other._loan;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is UsbOutputBuffer other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_slot, _loan);

    /// <summary>Whether both are the same buffer.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(UsbOutputBuffer left, UsbOutputBuffer right) => left.Equals(right);

    /// <summary>Whether they are different buffers.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(UsbOutputBuffer left, UsbOutputBuffer right) => !left.Equals(right);

    private RingSlot Slot()
    {
        if (_slot is null || _slot.Loan != _loan)
            throw new ObjectDisposedException(nameof(UsbOutputBuffer));
        return _slot;
    }
}
