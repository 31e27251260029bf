using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Represents a simple model of a <see cref="TransferQueue"/>. The model uses lists. On the fast path, the queue does not maintain the order of the transfers,
/// but the model does.
/// </summary>
internal sealed class QueueModel
{
    public QueueModel(int transfers, int depth)
    {
        Depth = depth;
        for (int i = transfers - 1; i >= 0; i--)
            Free.Push(i);
    }

    public int Depth { get; }

    public List<Entry> Order { get; } = [];

    /// <summary>Gets the free transfers. The transfer that was freed last is used first.</summary>
    public Stack<int> Free { get; } = [];

    /// <summary>Gets the transfers that the program has.</summary>
    public List<int> Lent { get; } = [];

    public long Next { get; set; }

    /// <summary>Gets or sets the loss that the next submitted transfer reports.</summary>
    public UsbRingLoss Pending { get; set; }

    /// <summary>Gets or sets the spare transfer of the fast path; null while the fast path is not active.</summary>
    public int? Spare { get; set; }

    public bool IsInterrupted { get; set; }

    public int InFlight => Order.Count(static entry => !entry.HasEnded);

    /// <summary>
    /// Gets whether the queue may enter the fast path. The queue must be full, and all transfers in the queue must be in flight and have consecutive numbers.
    /// At least one transfer outside of the queue must be free, and all losses must have been reported.
    /// </summary>
    public bool CanEnterFast => Spare is null && Free.Count > 0 && Pending.IsNone && Order.Count == Depth
        && Order.Select((entry, place) => entry.Number == Next - Depth + place && !entry.HasEnded && entry.Lost.IsNone).All(static fits => fits);

    public void Append(int transfer)
    {
        Order.Add(new Entry(transfer, Next++, Pending));
        Pending = default;
    }

    public void Skip(int place, UsbRingLoss loss)
    {
        Entry skipped = Order[place];
        loss = Sum(skipped.Lost, loss);
        Order.RemoveAt(place);
        if (place < Order.Count)
            Order[place].Lost = Sum(Order[place].Lost, loss);
        else
            Pending = Sum(Pending, loss);
    }

    /// <summary>Completes the oldest transfer on the fast path.</summary>
    public void CompleteFast()
    {
        int ended = Order[0].Transfer;
        Order.RemoveAt(0);
        Append(Spare!.Value);
        Spare = ended;
    }

    public void LeaveFast()
    {
        Free.Push(Spare!.Value);
        Spare = null;
        IsInterrupted = false;
    }

    private static UsbRingLoss Sum(UsbRingLoss a, UsbRingLoss b) => new(a.Transfers + b.Transfers, a.Packets + b.Packets, a.Bytes + b.Bytes);

    /// <summary>Represents a transfer that is in flight or has ended.</summary>
    internal sealed class Entry(int transfer, long number, UsbRingLoss lost)
    {
        public int Transfer { get; } = transfer;

        public long Number { get; } = number;

        public UsbRingLoss Lost { get; set; } = lost;

        public bool HasEnded { get; set; }
    }
}
