using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the transfers of a ring. The queue contains the free transfers, and a list of the transfers that are in flight or have ended. The list is in the
/// order of submission. The queue itself submits nothing. The caller of any member holds the ring's lock.
/// </summary>
/// <remarks>
/// On the fast path, the thread that handles events changes the queue without the ring's lock, and the queue does not maintain the list. The transfers in
/// flight have consecutive sequence numbers, and <see cref="Head"/> is the first of these numbers. One more transfer, the spare transfer, has a lower number
/// and belongs to the thread that handles events. When a transfer ends, the ring submits the spare transfer, and the ended transfer becomes the new spare
/// transfer. The transfers therefore take turns in a fixed cycle. When a transfer ends, its predecessor in this cycle is always the spare transfer
/// (<see cref="RingTransfer.Spare"/>). <see cref="LeaveFast"/> restores the list from the sequence numbers.
/// </remarks>
internal sealed class TransferQueue
{
    private const long NotFast = -1;
    private const long Interrupted = -2;

    private readonly RingTransfer[] _all;
    private readonly int[] _free;
    private readonly int[] _byNumber; // used by LeaveFast, which must not allocate
    private readonly long _depth;
    private int _freeCount;
    private long _next; // the number of the next submission; on the fast path it is Head + _depth
    private TransferList _order;
    private UsbRingLoss _pendingLoss; // for the transfer that is submitted next

    /// <param name="all">The transfers, none of which is in use.</param>
    /// <param name="depth">The number of transfers to keep in flight.</param>
    public TransferQueue(RingTransfer[] all, int depth)
    {
        _all = all;
        _depth = depth;
        _free = new int[all.Length];
        _byNumber = new int[depth];
        _order = new TransferList(all);
        for (int i = all.Length - 1; i >= 0; i--)
            PutFree(all[i]); // added in reverse, so that TakeFree returns the first transfer first
    }

    /// <summary>Gets all transfers.</summary>
    public ReadOnlySpan<RingTransfer> All => _all;

    /// <summary>Returns an empty list for some of the transfers.</summary>
    public TransferList NewList() => new(_all);

    /// <summary>Gets the number of transfers in flight, including a transfer that is being submitted.</summary>
    public int InFlight { get; private set; }

    /// <summary>Gets whether the queue has room for another transfer in flight.</summary>
    public bool HasRoom => InFlight < _depth;

    /// <summary>Gets whether a transfer is free.</summary>
    public bool HasFree => _freeCount > 0;

    /// <summary>Gets the oldest transfer that is in flight or has ended; null if there is none.</summary>
    public RingTransfer? First => _order.First;

    /// <summary>Gets the newest transfer that is in flight or has ended; null if there is none.</summary>
    public RingTransfer? Last => _order.Last;

    /// <summary>
    /// Gets the sequence number of the oldest transfer in flight on the fast path. The ring stays on the fast path only if this transfer ends next. The value
    /// is negative if the fast path is not active, or if a test has interrupted it.
    /// </summary>
    public long Head { get; private set; } = NotFast;

    /// <summary>Gets whether the thread that handles events changes the queue without the lock.</summary>
    public bool IsFast => Head != NotFast;

    public RingTransfer? After(RingTransfer transfer) => _order.After(transfer);

    /// <summary>Takes a free transfer out of the queue, or returns null if there is none.</summary>
    public RingTransfer? TakeFree() => _freeCount > 0 ? _all[_free[--_freeCount]] : null;

    /// <summary>Takes back a transfer that is no longer in use.</summary>
    public void PutFree(RingTransfer transfer)
    {
        transfer.State = RingTransferState.Free;
        _free[_freeCount++] = transfer.Index;
    }

    /// <summary>Appends a transfer to the list. The caller submits the transfer after the call.</summary>
    public void Append(RingTransfer transfer)
    {
        transfer.State = RingTransferState.InFlight;
        transfer.Sequence = _next++;
        transfer.LostBefore = _pendingLoss;
        _pendingLoss = default;
        _order.Append(transfer);
        InFlight++;
    }

    /// <summary>
    /// Undoes <see cref="Append"/> for the transfer that was appended last, because libusb has refused it. The caller decides what happens to the transfer.
    /// </summary>
    public void Refuse(RingTransfer transfer)
    {
        Debug.Assert(transfer.Sequence == _next - 1);
        _pendingLoss = transfer.LostBefore;
        _next--;
        transfer.Sequence = -1;
        _order.Remove(transfer);
        InFlight--;
    }

    /// <summary>Records that a transfer has ended. The transfer keeps its place in the order.</summary>
    public void End(RingTransfer transfer)
    {
        transfer.State = RingTransferState.Done;
        InFlight--;
    }

    /// <summary>Removes a transfer that has ended from the list.</summary>
    public void Remove(RingTransfer transfer) => _order.Remove(transfer);

    /// <summary>Removes an ended transfer from the list without delivering its data. The next transfer reports the loss.</summary>
    public void Skip(RingTransfer transfer, UsbRingLoss loss)
    {
        UsbRingLoss all = transfer.LostBefore.Plus(loss);
        if (_order.After(transfer) is { } next)
            next.LostBefore = next.LostBefore.Plus(all);
        else
            _pendingLoss = _pendingLoss.Plus(all);
        _order.Remove(transfer);
    }

    /// <summary>
    /// Enters the fast path if the queue is full, the transfers in flight have consecutive numbers, no loss is waiting to be reported, and a transfer is free.
    /// </summary>
    /// <returns>Whether the queue has entered the fast path.</returns>
    public bool TryEnterFast()
    {
        if (IsFast || InFlight != _depth || _order.Count != InFlight || _freeCount == 0 || !_pendingLoss.IsNone)
            return false;
        // The list contains only transfers in flight, and their numbers ascend. The numbers are consecutive if the first number plus the count equals the
        // number of the next submission.
        RingTransfer first = _order.First!;
        if (first.Sequence != _next - InFlight)
            return false;
        for (RingTransfer? transfer = first; transfer is not null; transfer = _order.After(transfer))
        {
            if (!transfer.LostBefore.IsNone)
                return false;
        }

        RingTransfer spare = TakeFree()!;
        spare.State = RingTransferState.InFlight; // on the fast path, all transfers in use have this state
        spare.LostBefore = default;
        spare.Sequence = -1;
        RingTransfer before = spare;
        for (RingTransfer? transfer = first; transfer is not null; transfer = _order.After(transfer))
        {
            transfer.Spare = before;
            before = transfer;
        }

        spare.Spare = before;
        _order.Clear();
        Head = first.Sequence;
        return true;
    }

    /// <summary>
    /// Advances the head on the fast path. The oldest transfer has ended and becomes the spare transfer, and the former spare transfer has been submitted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(RingTransfer ended) => Head = ended.Sequence + 1;

    /// <summary>Returns the sequence number of the transfer that the fast path submits when another transfer ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long NumberAfter(RingTransfer ended) => ended.Sequence + _depth;

    /// <summary>Makes the next callback leave the fast path. Tests call the method in a handler, on the thread that handles events.</summary>
    public void InterruptFast()
    {
        if (IsFast)
            Head = Interrupted;
    }

    /// <summary>Leaves the fast path, and restores the order from the consecutive numbers.</summary>
    public void LeaveFast()
    {
        RingTransfer? spare = null;
        long last = -1;
        foreach (RingTransfer transfer in _all)
        {
            if (transfer.State != RingTransferState.InFlight)
                continue;
            if (spare is null || transfer.Sequence < spare.Sequence)
                spare = transfer;
            last = Math.Max(last, transfer.Sequence);
        }

        long head = last - _depth + 1;
        foreach (RingTransfer transfer in _all)
        {
            if (transfer != spare && transfer.State == RingTransferState.InFlight)
                _byNumber[transfer.Sequence - head] = transfer.Index;
        }

        foreach (int index in _byNumber)
            _order.Append(_all[index]);
        Debug.Assert(_order.Count == InFlight);
        _next = last + 1;
        Head = NotFast;
        PutFree(spare!);
    }
}
