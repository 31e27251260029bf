using CsCheck;
using Native.LibUsb.Interop;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests the counters of a ring. When a thread reads the counters without a lock, all numbers must be from the same moment.</summary>
public sealed class RingCountersTests
{
    private const int Packets = 8;

    private RingCounters _counters;

    private static readonly Gen<(int Length, int Status)[]> s_packets = Gen.Select(
        Gen.Frequency((1, Gen.Const(0)), (3, Gen.Int[0, 100])), Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 6]))).Array[0, Packets];

    private static readonly Gen<(int Status, (int Length, int Status)[] Packets)[]> s_transfers =
        Gen.Select(Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 6])), s_packets).Array[0, 30];

    [Fact]
    public void Transfers_and_packets_are_counted_by_status() => s_transfers.Sample(
        static transfers =>
        {
            var counters = default(RingCounters);
            var each = new long[7];
            var packets = new long[7];
            long bytes = 0, empty = 0;
            foreach ((int status, (int Length, int Status)[] results) in transfers)
            {
                counters.Add(Transfer(status, results));
                each[status]++;
                bytes += results.Sum(static packet => (long)packet.Length);
                empty += results.Count(static packet => packet is { Length: 0, Status: 0 });
                foreach ((_, int one) in results)
                    packets[one]++;
            }

            UsbRingStatistics statistics = RingCounters.Read(ref counters, 3, TimeSpan.FromSeconds(4));
            Assert.Equal(new UsbRingStatistics
            {
                InFlight = 3,
                LongestCallback = TimeSpan.FromSeconds(4),
                Completions = transfers.Length,
                Bytes = bytes,
                Packets = packets[0],
                EmptyPackets = empty,
                Transfers = Counts(each),
                PacketStatuses = Counts(packets),
                LostPackets = Counts(packets).Failed,
            }, statistics);
        },
        iter: Rounds.Of(2_000), threads: 1);

    [Fact]
    public void A_good_transfer_counts_alike_on_the_fast_path_and_on_the_locked_path()
    {
        var fast = default(RingCounters);
        (int, int)[] good = [(100, 0), (0, 0), (28, 0)];
        _counters.Add(Transfer(0, good));
        fast.AddGood(128, packets: 3, empty: 1);
        Assert.Equal(Read(), RingCounters.Read(ref fast, 0, default));
        _counters.Add(new RingTransfer(0) { Length = 512 });
        Assert.Equal(512, fast.AddGood(512));
        Assert.Equal(Read(), RingCounters.Read(ref fast, 0, default));
        Assert.Equal((2, 640, 3, 1), (Read().Completions, Read().Bytes, Read().Packets, Read().EmptyPackets));
    }

    [Fact]
    public void An_unknown_status_counts_as_the_last_one()
    {
        _counters.Add(Transfer(99, [(0, 99)]));
        Assert.Equal((1, 1), (Read().Transfers.Overflow, Read().PacketStatuses.Overflow));
    }

    [Fact]
    public void A_packet_that_failed_and_was_dropped_is_lost_once()
    {
        RingTransfer transfer = Transfer(0, [(10, 0), (0, 1), (0, 6), (7, 0)]);
        _counters.Add(transfer);
        Assert.Equal(2, Read().LostPackets);
        _counters.Drop(transfer, new UsbRingLoss(1, 4, 17));
        Assert.Equal(4, Read().LostPackets);
        Assert.Equal(new UsbRingLoss(1, 4, 17), Read().Dropped);
        _counters.Missed(intervals: 5, whileLate: 2, longestDelay: System.Diagnostics.Stopwatch.Frequency);
        Assert.Equal((9, 5, 2, TimeSpan.FromSeconds(1)), (Read().LostPackets, Read().MissedIntervals, Read().MissedWhileLate, Read().LongestDelay));
        _counters.Missed(intervals: 3, whileLate: 3, longestDelay: 0); // the count of missed intervals may be corrected
        Assert.Equal((7, 3), (Read().LostPackets, Read().MissedIntervals));
    }

    [Fact]
    public void The_lowest_number_in_flight_is_that_since_the_last_start()
    {
        _counters.Started(5);
        _counters.InFlight(3);
        _counters.InFlight(4);
        Assert.Equal(3, Read().LowestInFlight);
        _counters.Started(6);
        Assert.Equal(6, Read().LowestInFlight);
    }

    [Fact]
    public void Refusals_underruns_and_recoveries_are_counted()
    {
        _counters.Refused(UsbError.IO);
        _counters.Refused(UsbError.NoMemory);
        _counters.Underrun();
        _counters.Recovered();
        Assert.Equal((2, UsbError.NoMemory, 1, 1), (Read().SubmitFailures, Read().LastSubmitFailure, Read().Underruns, Read().Recoveries));
    }

    [Fact]
    public void A_thread_that_reads_sees_the_numbers_of_one_moment()
    {
        using Watchdog watchdog = new(seconds: 120);
        bool ended = false;
        long written = 0;
        RingTransfer transfer = Transfer(1, [(3, 0), (0, 0), (0, 1)]);
        var writer = new Thread(() =>
        {
            while (!Volatile.Read(ref ended))
            {
                _counters.Add(transfer);
                Volatile.Write(ref written, written + 1);
                Thread.SpinWait((int)(written & 63)); // a reader needs a time without writes, and the writer never waits for it
            }
        });
        writer.Start();
        try
        {
            long last = 0;
            int rounds = Rounds.Of(100_000);
            for (int round = 0; round < rounds; round++)
            {
                long before = Volatile.Read(ref written);
                UsbRingStatistics seen = Read();
                long count = seen.Completions;
                Assert.InRange(count, Math.Max(last, before), long.MaxValue);
                Assert.Equal(
                    (3 * count, 2 * count, count, count, 0, count, count),
                    (seen.Bytes, seen.Packets, seen.EmptyPackets, seen.Transfers.Error, seen.Transfers.Completed, seen.PacketStatuses.Error, seen.LostPackets));
                last = count;
            }

            Assert.True(last > 0);
        }
        finally
        {
            Volatile.Write(ref ended, true);
            writer.Join();
        }
    }

    private UsbRingStatistics Read() => RingCounters.Read(ref _counters, 0, default);

    private static UsbStatusCounts Counts(long[] each) => new(each[0], each[1], each[2], each[3], each[4], each[5], each[6]);

    private static RingTransfer Transfer(int status, (int Length, int Status)[] packets)
    {
        var transfer = new RingTransfer(0, Packets)
        {
            Status = (UsbTransferStatus)status,
            Packets = packets.Length,
            Length = packets.Sum(static packet => packet.Length),
        };
        // The counters must ignore the descriptors beyond the packets of the transfer.
        Array.Fill(transfer.Descriptors, new libusb_iso_packet_descriptor { actual_length = 50, status = libusb_transfer_status.LIBUSB_TRANSFER_STALL });
        for (int i = 0; i < packets.Length; i++)
            transfer.Descriptors[i] = new libusb_iso_packet_descriptor { actual_length = (uint)packets[i].Length, status = (libusb_transfer_status)packets[i].Status };
        return transfer;
    }
}
