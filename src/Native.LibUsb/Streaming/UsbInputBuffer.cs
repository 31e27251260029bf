using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the results of one transfer of a ring. The program disposes the buffer to return its memory to the ring. After that, all members that read the
/// buffer throw an exception. A copy of the structure represents the same buffer.
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

    /// <summary>Gets whether the structure contains no buffer, because the ring has stopped and all data was read.</summary>
    public bool IsNone => _transfer is null;

    /// <summary>Gets the ring that lent the buffer.</summary>
    public UsbInputRing Ring => Unsafe.As<UsbInputRing>(Transfer().Ring);

    /// <summary>
    /// Gets the number of the transfer, counted from 0 in the order of submission. If a number is missing, the ring dropped the transfer with this number, or
    /// the transfer was cancelled before any data arrived.
    /// </summary>
    public long Sequence => Transfer().Sequence;

    /// <summary>
    /// Gets the status with which the transfer ended. The data that arrived is valid even if the status is an error, because the bus checks each packet.
    /// </summary>
    public UsbTransferStatus Status => Transfer().Status;

    /// <summary>
    /// Gets the number of bytes that arrived. For an isochronous transfer, this is the sum of the packets' lengths. For other transfers, 0 bytes and the status
    /// Completed mean that a zero-length packet arrived.
    /// </summary>
    public int Length => Transfer().Length;

    /// <summary>Gets whether the transfer ended with a packet that was not full. Devices mark the end of a message with such a packet.</summary>
    public bool EndsWithShortPacket
    {
        get
        {
            RingTransfer transfer = Transfer();
            return transfer.Status == UsbTransferStatus.Completed && transfer.Length < transfer.Memory.Length && !transfer.Ring.Configuration.IsIsochronous;
        }
    }

    /// <summary>Gets the data that was dropped before this buffer because the reader was late.</summary>
    public UsbRingLoss LostBefore => Transfer().LostBefore;

    /// <summary>
    /// Gets the time at which the transfer's completion was handled, in ticks of <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>. The value is 0 if
    /// <see cref="UsbRingOptions.Timestamps"/> is false.
    /// </summary>
    public long Timestamp => Transfer().Timestamp;

    /// <summary>
    /// Gets the bytes that arrived. The span is valid until the buffer is disposed. After that, the bytes of the span may change, but the memory is not freed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous, and its packets have gaps between them. Use <see cref="Packets"/>.</exception>
    public ReadOnlySpan<byte> Data
    {
        get
        {
            RingTransfer transfer = Transfer();
            if (transfer.PacketSize != 0)
                ThrowIsochronous();
            return MemoryMarshal.CreateReadOnlySpan(ref transfer.Start, transfer.Length); // the length is at most the size of the buffer
        }
    }

    /// <summary>Gets the memory that contains the bytes that arrived.</summary>
    /// <exception cref="InvalidOperationException">The ring is isochronous. Use <see cref="Packets"/>.</exception>
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

    /// <summary>
    /// Gets the isochronous packets, including the packets that failed. A program can use the value in a <c>foreach</c> statement. If the transfer is not
    /// isochronous, there are no packets.
    /// </summary>
    public UsbRingPackets Packets => new(Transfer());

    /// <summary>Gets the number of isochronous packets whose service interval has passed.</summary>
    public int PacketCount => Transfer().Packets;

    /// <summary>
    /// Gets the number of the first packet, counted from 0. The count includes the packets of transfers that were dropped or that failed. Packets with
    /// consecutive numbers therefore belong to consecutive service intervals.
    /// </summary>
    public long FirstPacket => Transfer().FirstPacket;

    /// <summary>
    /// Copies the bytes that arrived. For isochronous transfers, the method copies only the bytes of the good packets, and leaves no gaps between
    /// these packets.
    /// </summary>
    /// <param name="destination">The memory to copy to, with at least <see cref="Length"/> bytes.</param>
    /// <returns>The number of bytes that were copied.</returns>
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

    /// <summary>
    /// Returns the buffer to the ring. A program may call the method more than once. The program may also call the method when the ring is already disposed.
    /// </summary>
    public void Dispose()
    {
        if (_transfer is { } transfer)
            ((UsbInputRing)transfer.Ring).Return(transfer, _loan);
    }

    /// <summary>Determines whether two structures represent the same buffer.</summary>
    /// <param name="other">The buffer to compare with.</param>
    public bool Equals(UsbInputBuffer other) => _transfer == other._transfer && _loan == other._loan;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is UsbInputBuffer other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_transfer, _loan);

    /// <summary>Determines whether two structures represent the same buffer.</summary>
    /// <param name="left">The first buffer.</param>
    /// <param name="right">The second buffer.</param>
    public static bool operator ==(UsbInputBuffer left, UsbInputBuffer right) => left.Equals(right);

    /// <summary>Determines whether two structures represent different buffers.</summary>
    /// <param name="left">The first buffer.</param>
    /// <param name="right">The second buffer.</param>
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
            throw new InvalidOperationException("There is no buffer, because the ring has stopped and all its data was read: check IsNone first.");
        throw new ObjectDisposedException(nameof(UsbInputBuffer));
    }

    [DoesNotReturn]
    private static void ThrowIsochronous() => throw new InvalidOperationException("The data of an isochronous transfer is in its packets: use Packets or CopyTo.");
}
