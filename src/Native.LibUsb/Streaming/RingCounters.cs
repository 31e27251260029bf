using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>What a ring counts. Changed under its lock.</summary>
internal struct RingCounters
{
    private const int StatusCount = 7; // UsbTransferStatus

    public long Completions;
    public long Bytes;
    public long Packets;
    public long EmptyPackets;
    public long SubmitFailures;
    public UsbError LastSubmitFailure;
    public long Underruns;
    public long Recoveries;
    public UsbRingLoss Dropped;
    public long DroppedFailedPackets; // failures that are in Dropped too
    public long MissedIntervals;
    public long LongestCallbackTicks;

    private int _lowestArmed;
    private PerStatus _transfers;
    private PerStatus _packets;

    /// <summary>The queue is filled anew.</summary>
    public void Started(int depth) => _lowestArmed = depth;

    /// <summary>So many are in flight now that one has ended and what could be was submitted.</summary>
    public void Armed(int count) => _lowestArmed = Math.Min(_lowestArmed, count);

    public void Add(RingSlot slot, RingPlan plan)
    {
        Completions++;
        Bytes += slot.Length;
        _transfers[Math.Clamp((int)slot.Status, 0, StatusCount - 1)]++;
        if (!plan.IsIsochronous)
            return;
        for (int i = 0; i < slot.Packets; i++)
        {
            int status = slot.PacketStatuses[i];
            _packets[Math.Clamp(status, 0, StatusCount - 1)]++;
            if (status != (int)UsbTransferStatus.Completed)
                continue;
            Packets++;
            if (slot.PacketLengths[i] == 0)
                EmptyPackets++;
        }
    }

    /// <summary>What a transfer brought is thrown away.</summary>
    public void Drop(RingSlot slot, UsbRingLoss loss)
    {
        Dropped = Dropped.Plus(loss);
        for (int i = 0; i < slot.Packets; i++)
        {
            if (slot.PacketStatuses[i] != (int)UsbTransferStatus.Completed)
                DroppedFailedPackets++;
        }
    }

    public readonly UsbRingStatistics Read(int armed, TimeSpan longestCallback) => new()
    {
        Armed = armed,
        LowestArmed = _lowestArmed,
        Completions = Completions,
        Bytes = Bytes,
        Packets = Packets,
        EmptyPackets = EmptyPackets,
        SubmitFailures = SubmitFailures,
        LastSubmitFailure = LastSubmitFailure,
        Underruns = Underruns,
        Recoveries = Recoveries,
        Dropped = Dropped,
        MissedIntervals = MissedIntervals,
        LostPackets = _packets.ToCounts().Failed - DroppedFailedPackets + Dropped.Packets + MissedIntervals,
        LongestCallback = longestCallback,
        Transfers = _transfers.ToCounts(),
        PacketStatuses = _packets.ToCounts(),
    };

    [InlineArray(StatusCount)]
    private struct PerStatus
    {
        private long _first;

        public readonly UsbStatusCounts ToCounts() => new(this[0], this[1], this[2], this[3], this[4], this[5], this[6]);
    }
}
