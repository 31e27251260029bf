namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the data that an output ring sends: the buffers that the program has committed, oldest first, and zeros where an isochronous stream has no data.
/// </summary>
internal sealed class OutputQueue : IRingContent
{
    // With this number of transfers in flight, an isochronous endpoint stays busy while the ring submits another transfer.
    private const int FewestIsochronous = 2;

    private readonly UsbOutputRing _ring;
    private TransferList _waiting; // the committed transfers that wait until the queue has room
    private bool _fills; // the ring may send zeros, because the program had time to commit data
    private bool _underrunCounted; // the underrun that the next zeros fill has been counted
    private long _unsentBytes;
    private int _unsentBuffers;

    public OutputQueue(UsbOutputRing ring)
    {
        _ring = ring;
        _waiting = ring.Engine.Queue.NewList();
        foreach (RingTransfer transfer in ring.Engine.Queue.All)
            transfer.Output.Reserve(ring.Configuration.Packets);
    }

    /// <summary>Gets the number of committed bytes that the device has not taken yet. The property may be read without the lock.</summary>
    public long UnsentBytes => Volatile.Read(ref _unsentBytes);

    /// <summary>Gets whether the device has taken all committed bytes. The property may be read without the lock.</summary>
    public bool IsSent => Volatile.Read(ref _unsentBuffers) == 0;

    /// <summary>Gets the number of committed buffers that wait for room in the queue.</summary>
    public int Waiting => _waiting.Count;

    public bool StopsAtFailure => !_ring.Configuration.IsIsochronous;

    /// <summary>Appends a buffer that the program has committed. The caller holds the lock.</summary>
    public void AppendLocked(RingTransfer transfer)
    {
        _unsentBytes += transfer.Output.Unsent;
        _unsentBuffers++;
        transfer.State = RingTransferState.Waiting;
        _waiting.Append(transfer);
    }

    /// <summary>
    /// Takes back a transfer that has ended. The caller holds the lock. If the device has not taken all bytes of a bulk or interrupt transfer, the transfer
    /// keeps its place in the order, and the ring sends the remaining bytes when the ring runs again.
    /// </summary>
    public void TakeBackLocked(RingTransfer transfer)
    {
        OutputContent output = transfer.Output;
        int before = output.Unsent;
        output.Sent += transfer.Length;
        bool keeps = !_ring.Configuration.IsIsochronous && transfer.Status != UsbTransferStatus.Completed && !output.IsSent;
        _unsentBytes += (keeps ? output.Unsent : 0) - before; // written once, because other threads read the number without the lock
        if (keeps)
            return;
        if (!output.IsFiller)
            _unsentBuffers--;
        _ring.Engine.Queue.Remove(transfer);
        _ring.Engine.Queue.PutFree(transfer);
    }

    /// <summary>
    /// Submits zeros if an isochronous endpoint would otherwise have nothing to send. The caller has given the program time to commit data, and holds the lock.
    /// </summary>
    /// <param name="underrunCounted">Whether the caller has already counted the underrun.</param>
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
        _fills = false; // the program has time to commit data again when the next transfer ends
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
        // If an earlier run ended before the device had taken all bytes of a transfer, the queue still contains this transfer. The ring sends such transfers in
        // order, before the transfers that wait for room in the queue.
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
