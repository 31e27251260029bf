using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the transfers of a ring: those that no thread has, and those that are in flight or have ended, in the order of their submission. It submits nothing
/// itself. Used under the ring's lock.
/// </summary>
/// <remarks>
/// On the fast path the order is not kept: the transfers in flight have consecutive sequence numbers from <see cref="Head"/> on, and one spare transfer, with a
/// lower number, belongs to the thread that handles events. The spare one is always the one that has ended last, so each transfer is followed by the same one
/// (<see cref="RingTransfer.Spare"/>). <see cref="LeaveFast"/> restores the order from the numbers.
/// </remarks>
internal sealed class TransferQueue
{
    private const long NotFast = -1;
    private const long Interrupted = -2;

    private readonly RingTransfer[] _all;
    private readonly int[] _free;
    private readonly int[] _byNumber; // for LeaveFast, which allocates nothing
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
            PutFree(all[i]); // the first is taken first
    }

    /// <summary>Gets all transfers.</summary>
    public ReadOnlySpan<RingTransfer> All => _all;

    /// <summary>Returns an empty list for some of the transfers.</summary>
    public TransferList NewList() => new(_all);

    /// <summary>Gets the number of transfers in flight, one that is being submitted included.</summary>
    public int InFlight { get; private set; }

    /// <summary>Gets whether fewer transfers are in flight than there should be.</summary>
    public bool HasRoom => InFlight < _depth;

    /// <summary>Gets whether a transfer is free.</summary>
    public bool HasFree => _freeCount > 0;

    /// <summary>Gets the oldest transfer that is in flight or has ended; null if there is none.</summary>
    public RingTransfer? First => _order.First;

    /// <summary>Gets the newest transfer that is in flight or has ended; null if there is none.</summary>
    public RingTransfer? Last => _order.Last;

    /// <summary>Gets the number of the transfer that must end next while the fast path runs; negative while it does not.</summary>
    public long Head { get; private set; } = NotFast;

    /// <summary>Gets whether the thread that handles events changes the queue without the lock.</summary>
    public bool IsFast => Head != NotFast;

    public RingTransfer? After(RingTransfer transfer) => _order.After(transfer);

    /// <summary>Takes a transfer that no thread has.</summary>
    public RingTransfer? TakeFree() => _freeCount > 0 ? _all[_free[--_freeCount]] : null;

    /// <summary>Takes back a transfer that no thread needs.</summary>
    public void PutFree(RingTransfer transfer)
    {
        transfer.State = RingTransferState.Free;
        _free[_freeCount++] = transfer.Index;
    }

    /// <summary>Makes a transfer the last one of the order, because it is about to be submitted.</summary>
    public void Append(RingTransfer transfer)
    {
        transfer.State = RingTransferState.InFlight;
        transfer.Sequence = _next++;
        transfer.LostBefore = _pendingLoss;
        _pendingLoss = default;
        _order.Append(transfer);
        InFlight++;
    }

    /// <summary>Undoes <see cref="Append"/> for the transfer that was taken for submission last, because libusb has refused it. No thread has it then.</summary>
    public void Refuse(RingTransfer transfer)
    {
        Debug.Assert(transfer.Sequence == _next - 1);
        _pendingLoss = transfer.LostBefore;
        _next--;
        transfer.Sequence = -1;
        _order.Remove(transfer);
        InFlight--;
    }

    /// <summary>Notes that a transfer has ended. It keeps its place in the order.</summary>
    public void End(RingTransfer transfer)
    {
        transfer.State = RingTransferState.Done;
        InFlight--;
    }

    /// <summary>Takes a transfer that has ended out of the order.</summary>
    public void Remove(RingTransfer transfer) => _order.Remove(transfer);

    /// <summary>Takes a transfer that has ended out of the order, because it is not delivered. The transfer after it reports what was lost.</summary>
    public void Skip(RingTransfer transfer, UsbRingLoss loss)
    {
        UsbRingLoss all = transfer.LostBefore.Plus(loss);
        if (_order.After(transfer) is { } next)
            next.LostBefore = next.LostBefore.Plus(all);
        else
            _pendingLoss = _pendingLoss.Plus(all);
        _order.Remove(transfer);
    }

    /// <summary>Begins the fast path, if all transfers in flight follow one another, the queue is full and a transfer is free.</summary>
    /// <returns>Whether it has begun.</returns>
    public bool TryEnterFast()
    {
        if (IsFast || InFlight != _depth || _order.Count != InFlight || _freeCount == 0 || !_pendingLoss.IsNone)
            return false;
        // Nothing but transfers in flight: their numbers ascend, so the distance shows whether one is missing.
        RingTransfer first = _order.First!;
        if (first.Sequence != _next - InFlight)
            return false;
        for (RingTransfer? transfer = first; transfer is not null; transfer = _order.After(transfer))
        {
            if (!transfer.LostBefore.IsNone)
                return false;
        }

        RingTransfer spare = TakeFree()!;
        spare.State = RingTransferState.InFlight; // on the fast path all of them are
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

    /// <summary>Advances on the fast path: the oldest transfer has ended and is the spare one, and the former spare one has been submitted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(RingTransfer ended) => Head = ended.Sequence + 1;

    /// <summary>Gets the number of the transfer that is submitted on the fast path when another one ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long NumberAfter(RingTransfer ended) => ended.Sequence + _depth;

    /// <summary>Makes the next callback leave the fast path. For tests, in a handler: on the thread that handles events.</summary>
    public void InterruptFast()
    {
        if (IsFast)
            Head = Interrupted;
    }

    /// <summary>Ends the fast path: restores the order from the numbers, which are consecutive.</summary>
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
