using System.Diagnostics;
using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the counters of a ring.</summary>
/// <remarks>
/// A sequence lock protects the counters. One thread at a time writes the counters, under the ring's lock or on the fast path. Any number of threads may read
/// the counters without a lock. A thread repeats its read if another thread has written the counters during the read. A writer never waits for a reader.
/// </remarks>
internal struct RingCounters
{
    private const int StatusCount = 7; // of UsbTransferStatus

    private int _version; // odd during a write
    private long _completions;
    private long _bytes;
    private long _packets;
    private long _emptyPackets;
    private long _submitFailures;
    private UsbError _lastSubmitFailure;
    private long _underruns;
    private long _recoveries;
    private UsbRingLoss _dropped;
    private long _droppedFailedPackets; // the failed packets that _dropped counts too
    private long _missedIntervals;
    private long _missedWhileLate;
    private long _longestDelay;
    private int _lowestInFlight;
    private PerStatus _transfers; // by status; completed transfers are not counted here, because they are the rest of _completions
    private PerStatus _packetStatuses; // by status; good packets are not counted here, because _packets counts them

    /// <summary>Counts a completed transfer whose packets are all good.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddGood(int length, int packets, int empty)
    {
        BeginWrite();
        _completions++;
        _bytes += length;
        _packets += packets;
        _emptyPackets += empty;
        EndWrite();
    }

    /// <summary>Counts a completed transfer that has no packets.</summary>
    /// <returns>The length.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int AddGood(int length)
    {
        BeginWrite();
        _completions++;
        _bytes += length;
        EndWrite();
        return length;
    }

    /// <summary>Counts a transfer that has ended with any status.</summary>
    public void Add(RingTransfer transfer)
    {
        BeginWrite();
        _completions++;
        _bytes += transfer.Length;
        if (transfer.Status != UsbTransferStatus.Completed)
            _transfers[Math.Clamp((int)transfer.Status, 0, StatusCount - 1)]++;
        if (transfer.PacketSize != 0)
        {
            foreach (ref readonly libusb_iso_packet_descriptor packet in transfer.Descriptors.AsSpan(0, transfer.Packets))
            {
                int status = (int)packet.status;
                if (status != (int)UsbTransferStatus.Completed)
                {
                    _packetStatuses[Math.Clamp(status, 0, StatusCount - 1)]++;
                    continue;
                }

                _packets++;
                if (packet.actual_length == 0)
                    _emptyPackets++;
            }
        }

        EndWrite();
    }

    /// <summary>Resets the lowest number of transfers in flight at the start of a run.</summary>
    public void Started(int depth)
    {
        BeginWrite();
        _lowestInFlight = depth;
        EndWrite();
    }

    /// <summary>
    /// Records the number of transfers in flight if this number is the lowest since the start of the run. When a transfer has ended, the ring first submits
    /// other transfers, and then calls this method.
    /// </summary>
    public void InFlight(int count)
    {
        if (count >= _lowestInFlight)
            return;
        BeginWrite();
        _lowestInFlight = count;
        EndWrite();
    }

    public void Refused(UsbError error)
    {
        BeginWrite();
        _submitFailures++;
        _lastSubmitFailure = error;
        EndWrite();
    }

    public void Underrun()
    {
        BeginWrite();
        _underruns++;
        EndWrite();
    }

    public void Recovered()
    {
        BeginWrite();
        _recoveries++;
        EndWrite();
    }

    public void Missed(long intervals, long whileLate, long longestDelay)
    {
        BeginWrite();
        _missedIntervals = intervals;
        _missedWhileLate = whileLate;
        _longestDelay = longestDelay;
        EndWrite();
    }

    /// <summary>Counts a transfer whose data the ring discards.</summary>
    public void Drop(RingTransfer transfer, UsbRingLoss loss)
    {
        BeginWrite();
        _dropped = _dropped.Plus(loss);
        foreach (ref readonly libusb_iso_packet_descriptor packet in transfer.Descriptors.AsSpan(0, transfer.Packets))
        {
            if (packet.status != libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED)
                _droppedFailedPackets++;
        }

        EndWrite();
    }

    /// <summary>Returns a consistent copy of the counters.</summary>
    /// <param name="counters">The counters.</param>
    /// <param name="inFlight">The number of transfers in flight.</param>
    /// <param name="longestCallback">The duration of the longest callback.</param>
    public static UsbRingStatistics Read(ref RingCounters counters, int inFlight, TimeSpan longestCallback)
    {
        var spin = new SpinWait();
        while (true)
        {
            int version = Volatile.Read(ref counters._version);
            UsbRingStatistics statistics = counters.ToStatistics(inFlight, longestCallback);
            Volatile.ReadBarrier(); // the copy is complete before the version is read again
            if ((version & 1) == 0 && version == Volatile.Read(ref counters._version))
                return statistics;
            spin.SpinOnce();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void BeginWrite()
    {
        _version++;
        Volatile.WriteBarrier(); // no thread reads a new number together with the old version
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EndWrite() => Volatile.Write(ref _version, _version + 1);

    private readonly UsbRingStatistics ToStatistics(int inFlight, TimeSpan longestCallback) => new()
    {
        InFlight = inFlight,
        LowestInFlight = _lowestInFlight,
        Completions = _completions,
        Bytes = _bytes,
        Packets = _packets,
        EmptyPackets = _emptyPackets,
        SubmitFailures = _submitFailures,
        LastSubmitFailure = _lastSubmitFailure,
        Underruns = _underruns,
        Recoveries = _recoveries,
        Dropped = _dropped,
        MissedIntervals = _missedIntervals,
        MissedWhileLate = _missedWhileLate,
        LongestDelay = Stopwatch.GetElapsedTime(0, _longestDelay),
        LostPackets = _packetStatuses.ToCounts(0).Failed - _droppedFailedPackets + _dropped.Packets + _missedIntervals,
        LongestCallback = longestCallback,
        Transfers = _transfers.ToCounts(_completions - _transfers.Sum()),
        PacketStatuses = _packetStatuses.ToCounts(_packets),
    };

    [InlineArray(StatusCount)]
    private struct PerStatus
    {
        private long _first;

        public readonly long Sum() => this[0] + this[1] + this[2] + this[3] + this[4] + this[5] + this[6];

        public readonly UsbStatusCounts ToCounts(long completed) => new(completed, this[1], this[2], this[3], this[4], this[5], this[6]);
    }
}
