using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Represents a simple model of a bulk <see cref="UsbInputRing"/>. The model uses lists and no threads.</summary>
internal sealed class InputRingModel(int transfers, int spares, bool drops, bool clearsHalts, int errorLimit)
{
    private readonly List<Entry> _queue = [];
    private int _free = transfers + spares;
    private long _next;
    private UsbRingLoss _pendingLoss;
    private int _failuresInARow;

    public bool Running { get; private set; }

    public UsbError Failure { get; private set; }

    public long Completions { get; private set; }

    public long Bytes { get; private set; }

    public long Recoveries { get; private set; }

    public UsbRingLoss Dropped { get; private set; }

    public Dictionary<UsbTransferStatus, long> Statuses { get; } = [];

    public int InFlight => _queue.Count(entry => entry.Status is null);

    /// <summary>Gets a transfer in flight by its position in the order of submission.</summary>
    public Entry InFlightAt(int index) => _queue.Where(entry => entry.Status is null).ElementAt(index);

    public void Start()
    {
        Running = true;
        Failure = UsbError.Success;
        _failuresInARow = 0;
        Fill();
    }

    /// <summary>Stops the ring and cancels the transfers in flight. These transfers keep the bytes that had arrived before the stop.</summary>
    public void Stop(UsbError failure = UsbError.Success, UsbTransferStatus others = UsbTransferStatus.Canceled)
    {
        Running = false;
        Failure = failure;
        foreach (Entry entry in _queue.Where(entry => entry.Status is null).ToList())
            End(entry, others, entry.Length);
    }

    public void Complete(Entry entry, UsbTransferStatus status, int length)
    {
        End(entry, status, length);
        if (status == UsbTransferStatus.Completed)
            _failuresInARow = 0;
        else if (status == UsbTransferStatus.Stall)
            Stop(UsbError.Pipe);
        else if (++_failuresInARow >= errorLimit)
            Stop(status == UsbTransferStatus.Overflow ? UsbError.Overflow : UsbError.IO);
        Fill();
        if (drops && Running && InFlight < transfers)
        {
            var loss = new UsbRingLoss(1, 0, length);
            Dropped = Sum(Dropped, loss);
            Remove(entry, loss);
            Fill();
        }

        if (status == UsbTransferStatus.Stall && clearsHalts)
        {
            Recoveries++;
            Running = true;
            Failure = UsbError.Success;
            Fill();
        }
    }

    /// <summary>Gets the next buffer; null if there is none.</summary>
    public Entry? Read()
    {
        Entry? read = null;
        while (read is null && _queue.Count > 0 && _queue[0].Status is not null)
        {
            Entry first = _queue[0];
            if (first.Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice && first.Length == 0)
            {
                Remove(first, default); // a cancelled transfer without data is not delivered
                continue;
            }

            _queue.RemoveAt(0);
            read = first;
        }

        Fill();
        return read;
    }

    public void Return()
    {
        _free++;
        Fill();
    }

    private void Fill()
    {
        while (Running && InFlight < transfers && _free > 0)
        {
            _free--;
            _queue.Add(new Entry(_next++) { LostBefore = _pendingLoss });
            _pendingLoss = default;
        }
    }

    private void End(Entry entry, UsbTransferStatus status, int length)
    {
        entry.Status = status;
        entry.Length = length;
        Completions++;
        Bytes += length;
        Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
    }

    private void Remove(Entry entry, UsbRingLoss loss)
    {
        loss = Sum(entry.LostBefore, loss);
        int index = _queue.IndexOf(entry);
        _queue.RemoveAt(index);
        _free++;
        if (index < _queue.Count)
            _queue[index].LostBefore = Sum(_queue[index].LostBefore, loss);
        else
            _pendingLoss = Sum(_pendingLoss, loss);
    }

    private static UsbRingLoss Sum(UsbRingLoss one, UsbRingLoss other) =>
        new(one.Transfers + other.Transfers, one.Packets + other.Packets, one.Bytes + other.Bytes);

    /// <summary>Represents one transfer. The transfer is in flight as long as its status is null.</summary>
    internal sealed class Entry(long sequence)
    {
        public long Sequence { get; } = sequence;

        public UsbTransferStatus? Status { get; set; }

        public int Length { get; set; }

        /// <summary>Gets or sets the position in the pattern at which the transfer's data begins.</summary>
        public long Start { get; set; }

        public UsbRingLoss LostBefore { get; set; }
    }
}
