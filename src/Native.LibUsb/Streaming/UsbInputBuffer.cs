using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the results of one transfer of a ring. The program disposes the buffer to give its memory back to the ring; after that every member throws. A copy
/// is the same buffer.
/// </summary>
public readonly struct UsbInputBuffer : IDisposable, IEquatable<UsbInputBuffer>
{
    private readonly RingTransfer? _transfer;
    private readonly long _loan;

    internal UsbInputBuffer(RingTransfer transfer)
    {
        _transfer = transfer;
        _loan = transfer.Loan;
    }

    /// <summary>Gets whether this is no buffer, because the ring has stopped and all is read.</summary>
    public bool IsNone => _transfer is null;

    /// <summary>Gets the ring that lent the buffer.</summary>
    public UsbInputRing Ring => Unsafe.As<UsbInputRing>(Transfer().Ring);

    /// <summary>Gets the number of the transfer, counted from 0 in the order of submission. A missing number belongs to a transfer that was dropped or brought nothing.</summary>
    public long Sequence => Transfer().Sequence;

    /// <summary>Gets how the transfer ended. The data is good with any status, because the bus has checked each packet.</summary>
    public UsbTransferStatus Status => Transfer().Status;

    /// <summary>Gets the number of bytes that arrived; for isochronous transfers the sum of the packets. 0 with a good status is a zero-length packet.</summary>
    public int Length => Transfer().Length;

    /// <summary>Gets whether the transfer ended with a packet that was not full, which is how devices mark the end of a message.</summary>
    public bool EndsWithShortPacket
    {
        get
        {
            RingTransfer transfer = Transfer();
            return transfer.Status == UsbTransferStatus.Completed && transfer.Length < transfer.Memory.Length && !transfer.Ring.Configuration.IsIsochronous;
        }
    }

    /// <summary>Gets what was dropped before this buffer because the reader was late.</summary>
    public UsbRingLoss LostBefore => Transfer().LostBefore;

    /// <summary>Gets the time at which the transfer was handled, in ticks of <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>; 0 if <see cref="UsbRingOptions.Timestamps"/> is false.</summary>
    public long Timestamp => Transfer().Timestamp;

    /// <summary>Gets the bytes that arrived. The span is valid until the buffer is disposed; after that its bytes may change, but the memory is not freed.</summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous: its packets have gaps between them. Use <see cref="Packets"/>.</exception>
    public ReadOnlySpan<byte> Data
    {
        get
        {
            RingTransfer transfer = Transfer();
            if (transfer.PacketSize != 0)
                ThrowIsochronous();
            return MemoryMarshal.CreateReadOnlySpan(ref transfer.Start, transfer.Length); // at most the size of the buffer
        }
    }

    /// <summary>Gets the bytes that arrived, as memory.</summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous: use <see cref="Packets"/>.</exception>
    public ReadOnlyMemory<byte> Memory
    {
        get
        {
            RingTransfer transfer = Transfer();
            if (transfer.Ring.Configuration.IsIsochronous)
                ThrowIsochronous();
            return transfer.Memory[..transfer.Length];
        }
    }

    /// <summary>Gets the isochronous packets, good and bad ones, for <c>foreach</c>; none for other transfers.</summary>
    public UsbRingPackets Packets => new(Transfer());

    /// <summary>Gets the number of isochronous packets that had their turn.</summary>
    public int PacketCount => Transfer().Packets;

    /// <summary>
    /// Gets the number of the first packet, counted from 0. Packets of transfers that were dropped or failed are counted, so that consecutive numbers are
    /// consecutive service intervals.
    /// </summary>
    public long FirstPacket => Transfer().FirstPacket;

    /// <summary>Copies the bytes that arrived; for isochronous transfers those of the good packets, one after the other.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    /// <returns>The number of bytes that were written.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int CopyTo(Span<byte> destination)
    {
        RingTransfer transfer = Transfer();
        if (!transfer.Ring.Configuration.IsIsochronous)
        {
            transfer.Memory.Span[..transfer.Length].CopyTo(destination);
            return transfer.Length;
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

    /// <summary>Gives the buffer back to the ring. May be called more than once, also when the ring is disposed.</summary>
    public void Dispose()
    {
        if (_transfer is { } transfer)
            ((UsbInputRing)transfer.Ring).Return(transfer, _loan);
    }

    /// <summary>Returns whether both are the same buffer.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(UsbInputBuffer other) => _transfer == other._transfer && _loan == other._loan;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is UsbInputBuffer other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_transfer, _loan);

    /// <summary>Returns whether both are the same buffer.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(UsbInputBuffer left, UsbInputBuffer right) => left.Equals(right);

    /// <summary>Returns whether they are different buffers.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(UsbInputBuffer left, UsbInputBuffer right) => !left.Equals(right);

    private RingTransfer Transfer()
    {
        if (_transfer is null || _transfer.Loan != _loan)
            ThrowGone();
        return _transfer;
    }

    [DoesNotReturn]
    private void ThrowGone()
    {
        if (IsNone)
            throw new InvalidOperationException("There is no buffer, because the ring has stopped and all is read: check IsNone first.");
        throw new ObjectDisposedException(nameof(UsbInputBuffer));
    }

    [DoesNotReturn]
    private static void ThrowIsochronous() => throw new InvalidOperationException("The data of an isochronous transfer is in its packets: use Packets or CopyTo.");
}
