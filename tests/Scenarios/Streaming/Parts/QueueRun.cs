using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Performs the same steps on a <see cref="TransferQueue"/> and on its model, and compares the queue with the model after each step. The steps call the queue
/// in the same way as the engine of a ring does.
/// </summary>
internal sealed class QueueRun
{
    private readonly RingTransfer[] _all;
    private readonly TransferQueue _queue;
    private readonly QueueModel _model;

    public QueueRun(int depth, int spares)
    {
        _all = RingTransfer.Several(depth + spares);
        _queue = new TransferQueue(_all, depth);
        _model = new QueueModel(_all.Length, depth);
        Compare();
    }

    /// <summary>Performs a step if the step is possible.</summary>
    /// <param name="step">The step.</param>
    /// <param name="choice">
    /// A number that selects a transfer if the step is possible with several transfers. If the step skips a transfer, the number also determines how much data
    /// is lost.
    /// </param>
    /// <returns>True if the step was possible.</returns>
    public bool Perform(QueueStep step, int choice)
    {
        bool performed = _model.Spare is null ? PerformLocked(step, choice) : PerformFast(step);
        Compare();
        return performed;
    }

    private bool PerformLocked(QueueStep step, int choice)
    {
        switch (step)
        {
            case QueueStep.Submit or QueueStep.SubmitRefused when _queue.HasRoom && _queue.TakeFree() is { } transfer:
                Assert.Equal(_model.Free.Pop(), transfer.Index);
                _queue.Append(transfer);
                if (step == QueueStep.Submit)
                {
                    _model.Append(transfer.Index);
                    return true;
                }

                _queue.Refuse(transfer);
                Assert.Equal(-1, transfer.Sequence);
                GiveBack(transfer.Index);
                return true;
            case QueueStep.End when _model.InFlight > 0:
                QueueModel.Entry[] inFlight = [.. _model.Order.Where(static entry => !entry.HasEnded)];
                End(inFlight[choice % inFlight.Length]);
                return true;
            case QueueStep.TakeFirst when _model.Order is [{ HasEnded: true } first, ..]:
                _queue.Remove(_all[first.Transfer]);
                _all[first.Transfer].State = RingTransferState.Lent;
                _model.Order.RemoveAt(0);
                _model.Lent.Add(first.Transfer);
                return true;
            case QueueStep.RemoveAny or QueueStep.Skip when _model.Order.FindAll(static entry => entry.HasEnded) is { Count: > 0 } ended:
                QueueModel.Entry one = ended[choice % ended.Count];
                int place = _model.Order.IndexOf(one);
                if (step == QueueStep.Skip)
                {
                    // A skipped transfer without data causes no loss.
                    UsbRingLoss loss = choice % 3 == 0 ? default : new UsbRingLoss(1, choice, 10 * choice);
                    _queue.Skip(_all[one.Transfer], loss);
                    _model.Skip(place, loss);
                }
                else
                {
                    _queue.Remove(_all[one.Transfer]);
                    _model.Order.RemoveAt(place);
                }

                GiveBack(one.Transfer);
                return true;
            case QueueStep.GiveBack when _model.Lent.Count > 0:
                int lent = _model.Lent[choice % _model.Lent.Count];
                _model.Lent.Remove(lent);
                GiveBack(lent);
                return true;
            case QueueStep.EnterFast:
                bool enters = _model.CanEnterFast;
                Assert.Equal(enters, _queue.TryEnterFast());
                if (enters)
                    _model.Spare = _model.Free.Pop();
                return enters;
            default:
                return false;
        }
    }

    private bool PerformFast(QueueStep step)
    {
        switch (step)
        {
            case QueueStep.CompleteFast or QueueStep.RefuseFast when !_model.IsInterrupted:
                QueueModel.Entry oldest = _model.Order[0];
                RingTransfer ended = _all[oldest.Transfer], spare = ended.Spare;
                Assert.Equal(_model.Spare, spare.Index);
                Assert.Equal(_queue.Head, ended.Sequence);
                spare.Sequence = _queue.NumberAfter(ended);
                if (step == QueueStep.CompleteFast)
                {
                    _queue.Advance(ended);
                    _model.CompleteFast();
                    return true;
                }

                spare.Sequence = -1;
                LeaveFast();
                End(oldest);
                return true;
            case QueueStep.InterruptFast when !_model.IsInterrupted:
                _queue.InterruptFast();
                _model.IsInterrupted = true;
                return true;
            case QueueStep.LeaveFast:
                LeaveFast();
                return true;
            case QueueStep.EnterFast:
                Assert.False(_queue.TryEnterFast()); // the fast path is already active
                return false;
            default:
                return false;
        }
    }

    private void LeaveFast()
    {
        _queue.LeaveFast();
        _model.LeaveFast();
    }

    private void End(QueueModel.Entry entry)
    {
        _queue.End(_all[entry.Transfer]);
        entry.HasEnded = true;
    }

    private void GiveBack(int transfer)
    {
        _queue.PutFree(_all[transfer]);
        _model.Free.Push(transfer);
    }

    private void Compare()
    {
        bool isFast = _model.Spare is not null;
        Assert.Equal(
            (_model.InFlight, _model.InFlight < _model.Depth, _model.Free.Count > 0, isFast),
            (_queue.InFlight, _queue.HasRoom, _queue.HasFree, _queue.IsFast));
        if (isFast && !_model.IsInterrupted)
            Assert.Equal(_model.Order[0].Number, _queue.Head);
        else
            Assert.True(_queue.Head < 0); // no transfer has a negative number, so each callback takes the lock
        Assert.Equal(Describe(_model.Order.Select(entry => (entry.Transfer, entry.Number, State(entry.HasEnded, isFast), entry.Lost))), Describe(RealOrder(isFast)));
        Assert.Equal(isFast ? null : _model.Order.LastOrDefault()?.Transfer, _queue.Last?.Index);
        Assert.All(_model.Free, free => Assert.Equal(RingTransferState.Free, _all[free].State));
    }

    /// <summary>
    /// Returns the transfers in the order of the queue. On the fast path, the queue does not maintain this order, so the method sorts the transfers by their
    /// numbers and omits the spare transfer.
    /// </summary>
    private IEnumerable<(int Transfer, long Number, RingTransferState State, UsbRingLoss Lost)> RealOrder(bool isFast)
    {
        List<RingTransfer> order = [];
        if (isFast)
        {
            Assert.Null(_queue.First);
            order.AddRange(_all.Where(transfer => transfer.State == RingTransferState.InFlight && transfer.Index != _model.Spare).OrderBy(static transfer => transfer.Sequence));
        }
        else
        {
            for (RingTransfer? transfer = _queue.First; transfer is not null && order.Count <= _all.Length; transfer = _queue.After(transfer))
                order.Add(transfer);
        }

        return order.Select(static transfer => (transfer.Index, transfer.Sequence, transfer.State, transfer.LostBefore));
    }

    private static RingTransferState State(bool hasEnded, bool isFast) => hasEnded && !isFast ? RingTransferState.Done : RingTransferState.InFlight;

    private static string Describe(IEnumerable<(int Transfer, long Number, RingTransferState State, UsbRingLoss Lost)> order) => string.Join(
        "; ", order.Select(static one => $"transfer {one.Transfer}, number {one.Number}, {one.State}, lost before it {one.Lost.Transfers}/{one.Lost.Packets}/{one.Lost.Bytes}"));
}
