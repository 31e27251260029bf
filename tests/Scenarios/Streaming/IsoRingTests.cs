using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests rings that read isochronous packets. A ring must deliver every good packet, even between bad packets, and must count missing packets.
/// </summary>
public sealed class IsoRingTests : RingTest
{
    private const int Setting = 2, PacketSize = 1024;

    [BusFact]
    public async Task Every_packet_is_delivered_with_its_number()
    {
        await using UsbInputRing ring = Ring(new IsoSource(new IsoSourceOptions { Paced = false }), new UsbRingOptions { PacketsPerTransfer = 16, Transfers = 4, Overflow = UsbRingOverflow.Wait });
        ring.Start();
        var checker = new NumberedPatternChecker(0);
        long number = 0;
        while (number < 16 * 500)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.Equal(number, buffer.FirstPacket);
            Assert.Equal(16, buffer.PacketCount);
            Assert.Equal(16 * PacketSize, buffer.Length);
            Assert.True(buffer.LostBefore.IsNone, buffer.LostBefore.ToString());
            foreach (UsbRingPacket packet in buffer.Packets)
            {
                Assert.Equal(number++, packet.Number);
                Assert.Equal(UsbTransferStatus.Completed, packet.Status);
                checker.AddPacket(packet.Data);
            }

            Assert.Throws<InvalidOperationException>(() => buffer.Data.Length);
        }

        Assert.True(checker.IsPerfect, checker.ToString());
    }

    [BusFact]
    public async Task A_packet_is_deconstructed_into_its_status_and_data()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        source.Source.FaultAt(1, new IsoFault(UrbStatus.Protocol));
        source.Source.FaultAt(2, new IsoFault(UrbStatus.Success, 100));
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 4, Transfers = 2 }, Setting);
        ring.Start();
        using UsbInputBuffer buffer = await ring.ReadAsync();
        List<string> seen = [], expected = [];
        foreach (var (status, data) in buffer.Packets)
            seen.Add($"{status} {Convert.ToHexString(data)}");
        foreach (UsbRingPacket packet in buffer.Packets)
            expected.Add($"{packet.Status} {Convert.ToHexString(packet.Data)}");
        Assert.Equal(expected, seen);
        Assert.Equal($"{UsbTransferStatus.Error} ", seen[1]);
        Assert.Equal($"{UsbTransferStatus.Completed} ".Length + 200, seen[2].Length);
    }

    [BusFact]
    public async Task Good_packets_are_delivered_between_bad_short_and_empty_ones()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        source.Source.FaultAt(3, new IsoFault(UrbStatus.Protocol));
        source.Source.FaultAt(5, new IsoFault(UrbStatus.Success, 100));
        source.Source.FaultAt(8, new IsoFault(UrbStatus.Success, 0));
        source.Source.FaultAt(9, new IsoFault(UrbStatus.Overflow, PacketSize));
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 2, Spares = 4 }, Setting);
        ring.Start();
        var seen = new List<string>();
        byte[] flat = new byte[8 * PacketSize];
        int copied = 0;
        for (int i = 0; i < 2; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            copied += buffer.CopyTo(flat);
            foreach (UsbRingPacket packet in buffer.Packets)
            {
                bool whole = packet.Status == UsbTransferStatus.Completed && packet.Data.Length == PacketSize;
                if (whole)
                    Assert.Equal(0, NumberedPattern.CountMismatches(packet.Data, (ulong)packet.Number));
                else
                    seen.Add($"{packet.Number} {packet.Status} {packet.Data.Length}");
            }
        }

        Assert.Equal(["3 Error 0", "5 Completed 100", "8 Completed 0", $"9 Overflow {PacketSize}"], seen);
        Assert.Equal((12 * PacketSize) + 100, copied);
        await ring.StopAsync();
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(1, statistics.PacketStatuses.Error);
        Assert.Equal(1, statistics.PacketStatuses.Overflow);
        Assert.Equal(1, statistics.EmptyPackets);
        Assert.True(statistics.LostPackets >= 2);
    }

    [BusFact]
    public async Task A_late_reader_loses_packets_and_gets_their_number()
    {
        await using UsbInputRing ring = Ring(new IsoSource(), new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 8, Spares = 4 });
        ring.Start();
        while (ring.GetStatistics().Dropped.Transfers < 50) // the bus does not wait
            await Task.Yield();
        var checker = new NumberedPatternChecker(0);
        long number = 0, lost = 0;
        for (int i = 0; i < 12; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            lost += buffer.LostBefore.Packets;
            Assert.Equal(number + buffer.LostBefore.Packets, buffer.FirstPacket); // the gap in the numbers equals the count
            Assert.Equal(buffer.LostBefore.Transfers * 8, buffer.LostBefore.Packets);
            number = buffer.FirstPacket + 8;
            foreach (UsbRingPacket packet in buffer.Packets)
                checker.AddPacket(packet.Data);
        }

        Assert.True(lost >= 400, $"{lost}");
        Assert.Equal(0, checker.MismatchedBytes);
        Assert.True(checker.Lost >= lost); // on a busy machine, the bus itself may have missed some packets
        await ring.StopAsync();
        Assert.True(ring.GetStatistics().Dropped.Packets >= lost);
    }

    [BusFact]
    public async Task A_reader_that_stops_for_200_ms_loses_nothing_with_enough_spares()
    {
        const int packets = 32, pause = 50, end = 150; // 50 transfers of 32 microframes last 200 ms
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        source.Source.Hold(); // the test decides when the device answers
        await using UsbInputRing ring = Ring(source, new UsbRingOptions { PacketsPerTransfer = packets, Transfers = 16, Spares = pause + 1 });
        ring.Start();
        var checker = new NumberedPatternChecker(0);
        long read = 0;
        for (int i = 1; i <= end; i++)
        {
            Assert.True(source.Source.WaitForPending(16, Patience)); // the queue is always full
            Assert.True(source.Source.Release());
            while (ring.GetStatistics().Completions < i)
                await Task.Yield();
            if (i is > 20 and <= 20 + pause)
                continue;
            while (ring.TryTake(out UsbInputBuffer buffer))
            {
                Assert.Equal(read, buffer.FirstPacket);
                Assert.True(buffer.LostBefore.IsNone, buffer.LostBefore.ToString());
                foreach (UsbRingPacket packet in buffer.Packets)
                    checker.AddPacket(packet.Data);
                read += packets;
                buffer.Dispose();
            }
        }

        Assert.Equal(end * packets, read);
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.True(ring.GetStatistics().Dropped.IsNone);
        await ring.StopAsync();
        Assert.Equal(16, ring.GetStatistics().LowestInFlight); // stopping the ring does not change the minimum
        source.Source.Resume();
    }

    [BusFact]
    public async Task A_ring_delivers_every_packet_that_arrived_before_unplugging()
    {
        var source = new IsoSource(new IsoSourceOptions { UnplugAfterPackets = 1000 });
        await using UsbInputRing ring = Ring(source, new UsbRingOptions { PacketsPerTransfer = 40, Transfers = 8, Spares = 32 });
        ring.Start();
        var checker = new NumberedPatternChecker(0);
        List<string> failed = []; // a kernel may end packets with an error before it reports that the device is gone
        UsbException gone = await Assert.ThrowsAsync<UsbException>(async () =>
        {
            while (true)
            {
                using UsbInputBuffer buffer = await ring.ReadAsync();
                foreach (UsbRingPacket packet in buffer.Packets)
                {
                    if (packet.Status == UsbTransferStatus.Completed)
                        checker.AddPacket(packet.Data);
                    else
                        failed.Add($"{packet.Status}, {packet.Data.Length} bytes, in a transfer with the status {buffer.Status}");
                }
            }
        });
        Assert.Equal(UsbError.NoDevice, gone.Error);
        Assert.Equal(1000, checker.Packets);
        Assert.All(failed, static one => Assert.Contains(", 0 bytes,", one, StringComparison.Ordinal));
        if (VirtualBus.AutomaticHost != VirtualBusHost.Kernel)
            Assert.Empty(failed);
        Assert.Equal(0, checker.MismatchedBytes);
        Assert.Equal(checker.Packets, ring.GetStatistics().Packets);
        Assert.Equal(0, ring.GetStatistics().InFlight);
    }

    [BusFact]
    public async Task A_stopped_ring_keeps_the_packets_that_had_arrived()
    {
        var source = new IsoSource();
        await using UsbInputRing ring = Ring(source, new UsbRingOptions { PacketsPerTransfer = 128, Transfers = 8, Spares = 16 });
        ring.Start();
        while (source.Source.SentPackets < 20)
            await Task.Yield();
        await ring.StopAsync();
        Assert.Equal(0, ring.GetStatistics().PacketStatuses.Failed); // packets that were cancelled before their turn are not failures
        long packets = 0;
        while (ring.TryTake(out UsbInputBuffer buffer))
        {
            Assert.InRange(buffer.PacketCount, 1, 128);
            packets += buffer.PacketCount;
            buffer.Dispose();
        }

        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(statistics.Packets - statistics.Dropped.Packets, packets); // on a busy machine, all buffers may have been full
        Assert.True(packets >= 20);
    }

    [BusFact]
    public async Task A_packet_that_failed_and_was_dropped_is_counted_once()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        source.Source.FaultAt(1000, new IsoFault(UrbStatus.Protocol));
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 2, Spares = 1 }, Setting);
        ring.Start();
        while (ring.GetStatistics().Completions < 200) // no thread reads
            await Task.Yield();
        await ring.StopAsync();
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(1, statistics.PacketStatuses.Failed);
        Assert.True(statistics.Dropped.Packets > 1000);
        Assert.Equal(statistics.Dropped.Packets + statistics.MissedIntervals, statistics.LostPackets);
    }

    [BusFact]
    public async Task Missed_intervals_just_before_the_end_are_counted()
    {
        var source = new IsoSource();
        await using UsbInputRing ring = Ring(source, new UsbRingOptions { PacketsPerTransfer = 32, Transfers = 16 });
        ring.Start();
        Assert.True(source.Source.WaitForCompleted(200, Patience));
        source.Source.Hold();
        Pass(TimeSpan.FromMilliseconds(400)); // the submitted transfers last 64 ms
        source.Source.Resume();
        Assert.True(source.Source.WaitForCompleted(235, Patience)); // 35 transfers last at most 140 ms, less than one window of 250 ms
        await ring.StopAsync();
        long really = source.Source.MissedPackets;
        Assert.InRange(really, 1000, long.MaxValue);
        Assert.InRange(ring.GetStatistics().MissedIntervals, 500, really + 200); // the most recent missed intervals cannot be distinguished from late completions
    }

    [BusFact]
    public void Impossible_sizes_are_refused()
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super }));
        handle.ClaimInterface(0).SetAlternateSetting(3);
        Refused(new UsbRingOptions { TransferSize = 4096 }, "PacketsPerTransfer");
        Refused(new UsbRingOptions { PacketsPerTransfer = 128, Transfers = 1 }, "at most 85 packets");
        Refused(new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 64 }, "at most 42");
        Refused(new UsbRingOptions { PacketSize = 98_305 }, "98304");

        void Refused(UsbRingOptions options, string expected) => Assert.Contains(
            expected, Assert.ThrowsAny<ArgumentException>(() => InputRing(handle, IsoSource.EndpointAddress, options, 3)).Message, StringComparison.Ordinal);
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 3, 1_023_000.0)]
    [InlineData(VirtualSpeed.High, 4, 24_576_000.0)]
    [InlineData(VirtualSpeed.Super, 2, 131_072_000.0)]
    public void Sizes_come_from_a_rate_and_a_time(VirtualSpeed speed, int setting, double rate)
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Speed = speed }));
        handle.ClaimInterface(0).SetAlternateSetting((byte)setting);
        UsbRingOptions options = UsbRingOptions.ForRate(Endpoint(handle, IsoSource.EndpointAddress, setting), rate, TimeSpan.FromMilliseconds(100));
        using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, options, setting);
        Assert.True(ring.TransferSize * (double)options.Transfers / rate >= 0.1);
    }

    // This method waits for a fixed time, because no event signals the end of the time.
    private static void Pass(TimeSpan time)
    {
        using var never = new ManualResetEventSlim();
        never.Wait(time);
    }

    private UsbInputRing Ring(IsoSource source, UsbRingOptions options)
    {
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        return InputRing(handle, IsoSource.EndpointAddress, options, Setting);
    }
}
