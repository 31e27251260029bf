namespace Native.LibUsb.Streaming;

/// <summary>Represents the data that an output ring has to send: buffers that the program has committed, oldest first, and zeros where an isochronous stream ran
/// dry.</summary>
internal sealed class OutputQueue : IRingContent
{
    // So many transfers keep an isochronous endpoint busy while the next one is being made.
    private const int FewestIsochronous = 2;

    private readonly UsbOutputRing _ring;
    private TransferList _waiting; // until the queue of transfers in flight has room
    private bool _fills; // the program had its turn, and zeros may be sent
    private bool _underrunCounted; // of the next zeros
    private long _unsentBytes;
    private int _unsentBuffers;

    public OutputQueue(UsbOutputRing ring)
    {
        _ring = ring;
        _waiting = ring.Engine.Queue.NewList();
        foreach (RingTransfer transfer in ring.Engine.Queue.All)
            transfer.Output.Reserve(ring.Configuration.Packets);
    }

    /// <summary>Gets the number of committed bytes that the device has not taken. May be read without the lock.</summary>
    public long UnsentBytes => Volatile.Read(ref _unsentBytes);

    /// <summary>Gets whether the device has taken all that was committed. May be read without the lock.</summary>
    public bool IsSent => Volatile.Read(ref _unsentBuffers) == 0;

    /// <summary>Gets the number of committed buffers that wait for room.</summary>
    public int Waiting => _waiting.Count;

    public bool StopsAtFailure => !_ring.Configuration.IsIsochronous;

    /// <summary>Appends, under the lock, a buffer that the program has committed.</summary>
    public void AppendLocked(RingTransfer transfer)
    {
        _unsentBytes += transfer.Output.Unsent;
        _unsentBuffers++;
        transfer.State = RingTransferState.Waiting;
        _waiting.Append(transfer);
    }

    /// <summary>Takes back, under the lock, a transfer that has ended. If the device has not taken all of it, it stays where it is, and is sent again when
    /// the ring is
    /// started again.</summary>
    public void TakeBackLocked(RingTransfer transfer)
    {
        OutputContent output = transfer.Output;
        _unsentBytes -= output.Unsent;
        output.Sent += transfer.Length;
        if (!_ring.Configuration.IsIsochronous && transfer.Status != UsbTransferStatus.Completed && !output.IsSent)
        {
            _unsentBytes += output.Unsent;
            return;
        }

        if (!output.IsFiller)
            _unsentBuffers--;
        _ring.Engine.Queue.Remove(transfer);
        _ring.Engine.Queue.PutFree(transfer);
    }

    /// <summary>Records, under the lock, that the program had its turn. Submits zeros where an isochronous endpoint would have nothing to send.</summary>
    /// <param name="underrunCounted">Whether the underrun has been counted.</param>
    public void FillLocked(bool underrunCounted)
    {
        _fills = true;
        _underrunCounted = underrunCounted;
        _ring.Engine.SubmitLocked();
    }

    public RingTransfer? TakeNextLocked()
    {
        if (_ring.HoldsBackLocked)
            return null;
        if (_waiting.First is { } transfer)
        {
            _waiting.Remove(transfer);
            return transfer;
        }

        RingEngine engine = _ring.Engine;
        RingTransfer? filler = _fills && engine.Queue.InFlight < FewestIsochronous ? engine.Queue.TakeFree() : null;
        if (filler is null)
        {
            _fills = false;
            return null;
        }

        if (!_underrunCounted)
            engine.Counters.Underrun();
        _underrunCounted = false;
        filler.Output.SetFiller(filler.Memory.Length);
        return filler;
    }

    public void Prepare(RingTransfer transfer)
    {
        OutputContent output = transfer.Output;
        if (output.IsFiller)
            transfer.Memory.Span.Clear();
        if (!_ring.Configuration.IsIsochronous)
            transfer.Transfer.UsePart(output.Sent, output.Committed - output.Sent, output.EndsMessage);
        else if (output.PacketLengths.IsEmpty)
            transfer.Transfer.UsePackets(output.Committed, _ring.Configuration.PacketSize);
        else
            transfer.Transfer.UsePackets(output.PacketLengths, output.Committed);
    }

    public void TakeRefusedLocked(RingTransfer transfer)
    {
        _fills = false; // with the next transfer that comes back, the program has its turn again
        if (transfer.Output.IsFiller)
        {
            _ring.Engine.Queue.PutFree(transfer);
            return;
        }

        transfer.State = RingTransferState.Waiting;
        _waiting.Prepend(transfer);
    }

    public void BeginLocked()
    {
        // Transfers that were in flight when the ring stopped, and that the device has not taken, go before those that waited behind them.
        TransferQueue queue = _ring.Engine.Queue;
        while (queue.Last is { } unsent)
        {
            queue.Remove(unsent);
            unsent.State = RingTransferState.Waiting;
            _waiting.Prepend(unsent);
        }
    }

    public void EndLocked() => _fills = false;

    public void Wake() => _ring.Signal.Set();
}
