using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings on interrupt endpoints, on the streams of a bulk endpoint, and on isochronous OUT endpoints.</summary>
public sealed class RingKindTests : RingTest
{
    [BusFact]
    public async Task Each_interrupt_report_is_one_buffer()
    {
        int reports = Rounds.Of(2000);
        var source = new InterruptSource(new InterruptSourceOptions { ReportSize = 8, QueueLength = 4096 });
        UsbDeviceHandle handle = Open(source);
        await using UsbInputRing ring = InputRing(handle, InterruptSource.EndpointAddress);
        Assert.Equal(UsbTransferType.Interrupt, ring.TransferType);
        Assert.Equal(8, ring.TransferSize);
        ring.Start();
        Task reporting = Task.Run(() =>
        {
            for (int i = 0; i < reports; i++)
                source.ReportNext();
        });
        for (int i = 0; i < reports; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.Equal(8, buffer.Length);
            Assert.Equal(0, NumberedPattern.CountMismatches(buffer.Data, (ulong)i));
        }

        await reporting;
        source.Report([1, 2, 3]);
        using UsbInputBuffer last = await ring.ReadAsync();
        Assert.Equal([1, 2, 3], last.Data.ToArray());
        Assert.True(last.EndsWithShortPacket);
        Assert.Equal(0, source.LostReports);
        Assert.Equal((reports * 8) + 3, ring.GetStatistics().Bytes);
    }

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public async Task Each_stream_of_a_bulk_endpoint_has_its_own_ring()
    {
        var loopback = new BulkLoopback(new BulkLoopbackOptions { Speed = VirtualSpeed.Super, StreamsExponent = 2 });
        UsbDeviceHandle handle = Open(loopback);
        int streams = handle.AllocateStreams(4, BulkLoopback.InAddress, BulkLoopback.OutAddress);
        Assert.Equal(4, streams);
        var readers = new List<UsbInputRing>();
        var writers = new List<UsbOutputRing>();
        for (int stream = 1; stream <= streams; stream++)
        {
            var options = new UsbRingOptions { StreamId = stream, TransferSize = 1024, Transfers = 2, Spares = 2 };
            readers.Add(InputRing(handle, BulkLoopback.InAddress, options));
            writers.Add(OutputRing(handle, BulkLoopback.OutAddress, options));
            Assert.Throws<InvalidOperationException>(() => InputRing(handle, BulkLoopback.InAddress, options));
            Assert.Equal(UsbTransferType.BulkStream, readers[^1].TransferType);
            readers[^1].Start();
            writers[^1].Start();
        }

        await Task.WhenAll(Enumerable.Range(0, streams).Select(i => Task.WhenAll(WriteAsync(writers[i], i), ReadAsync(readers[i], i))));
        foreach (UsbRing ring in readers.Concat<UsbRing>(writers))
            await ring.DisposeAsync();
        handle.FreeStreams(BulkLoopback.InAddress, BulkLoopback.OutAddress);

        static async Task WriteAsync(UsbOutputRing ring, int number)
        {
            await using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
            await stream.WriteAsync(Pattern(number * 1000, 100_000));
        }

        static async Task ReadAsync(UsbInputRing ring, int number)
        {
            await using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
            byte[] bytes = new byte[100_000];
            await stream.ReadExactlyAsync(bytes);
            Assert.Equal(Pattern(number * 1000, 100_000), bytes);
        }
    }

    [BusFact]
    public void A_stream_needs_a_bulk_endpoint()
    {
        UsbDeviceHandle handle = Open(new InterruptSource());
        Assert.Contains("bulk", Assert.ThrowsAny<ArgumentException>(
            () => InputRing(handle, InterruptSource.EndpointAddress, new UsbRingOptions { StreamId = 1 })).Message, StringComparison.Ordinal);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_keeps_an_isochronous_endpoint_busy(bool paced)
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = paced });
        (UsbDeviceHandle handle, Tape tape) = Listen(sink);
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 32, Transfers = 32, Spares = 0 }, 2);
        long written = 0;
        ring.Start(buffer =>
        {
            for (int i = 0; i < buffer.Span.Length; i++)
                buffer.Span[i] = PatternByte(written + i);
            written += buffer.Span.Length;
            buffer.Commit(buffer.Span.Length);
        });
        while (tape.Packets < Rounds.Of(4000))
            await Task.Yield();
        await ring.StopAsync();
        Assert.True(tape.Mismatches == 0, $"{tape.Mismatches} of {tape.Bytes} bytes; {ring.GetStatistics()}");
        Assert.Equal(tape.Packets * 1024, tape.Bytes);
        Assert.Equal(ring.GetStatistics().Bytes, tape.Bytes);
        Assert.True(written >= tape.Bytes);
        if (!paced)
            Assert.Equal(0, sink.Sink.MissedPackets);
    }

    [BusFact]
    public async Task Start_fills_the_queue_before_it_submits_even_for_a_fast_device()
    {
        const int queue = 4;
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        (UsbDeviceHandle handle, Tape tape) = Listen(sink);
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 4, Transfers = queue, Spares = 2 }, 2);
        int starter = Environment.CurrentManagedThreadId;
        int filledHere = 0, filledLate = 0;
        ring.Start(buffer =>
        {
            if (Environment.CurrentManagedThreadId == starter)
            {
                if (filledHere < queue && ring.GetStatistics() is not { InFlight: 0, Completions: 0 })
                    filledLate++;
                if (++filledHere > 1000)
                    return; // ends a loop that would otherwise have no end
            }

            buffer.Commit(buffer.Span.Length);
        });
        Assert.Equal(0, filledLate);
        Assert.InRange(filledHere, queue, 1000); // if the device takes all transfers while Start submits them, Start fills the queue once more
        while (tape.Packets < 100) // the event thread keeps the queue full from then on
            await Task.Yield();
        await ring.StopAsync();
    }

    [BusFact]
    public async Task Missing_data_is_replaced_with_silence_and_counted()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        (UsbDeviceHandle handle, Tape tape) = Listen(sink);
        sink.Sink.Hold();
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress,
            new UsbRingOptions { PacketsPerTransfer = 4, Transfers = 4, Spares = 2, FillUnderruns = true }, 2);
        ring.Start();
        Assert.True(ring.TryAcquire(out UsbOutputBuffer sound));
        Pattern(0, 4096).CopyTo(sound.Span);
        sound.Commit(4096);
        Assert.True(sink.Sink.WaitForPending(1, Patience));
        Assert.True(sink.Sink.Release()); // the device takes the only committed transfer
        Assert.True(sink.Sink.WaitForPending(2, Patience)); // two transfers of silence keep the endpoint busy
        await ring.FlushAsync().AsTask().WaitAsync(Patience); // the flush does not wait for the silence
        Assert.Equal(0, ring.UnsentBytes);
        Assert.True(ring.TryAcquire(out sound));
        Pattern(4096, 3000).CopyTo(sound.Span); // the last packet is not full
        sound.Commit(3000);
        Assert.True(sink.Sink.WaitForPending(3, Patience));
        Assert.True(sink.Sink.Release());
        Assert.True(sink.Sink.Release());
        Assert.True(sink.Sink.Release());
        while (ring.GetStatistics().Completions < 4)
            await Task.Yield();
        await ring.StopAsync();
        Assert.True(ring.GetStatistics().Underruns >= 2, $"{ring.GetStatistics().Underruns}");
        Assert.Equal(4096 + (2 * 4096) + 3000, tape.Bytes);
        Assert.Equal(Pattern(0, 4096), tape.Sound[..4096]);
        Assert.All(tape.Sound[4096..(3 * 4096)], value => Assert.Equal(0, value));
        Assert.Equal(Pattern(4096, 3000), tape.Sound[(3 * 4096)..]);
    }

    [BusFact]
    public async Task Without_filling_the_endpoint_falls_silent_and_each_underrun_is_counted()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = true });
        (UsbDeviceHandle handle, Tape tape) = Listen(sink);
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 4 }, 2);
        ring.Start();
        int rounds = Rounds.Of(100);
        for (int round = 1; round <= rounds; round++)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            Pattern(tape.Bytes, 8192).CopyTo(buffer.Span);
            buffer.Commit(8192);
            await ring.FlushAsync();
            Assert.Equal(round * 8192, tape.Bytes);
        }

        Assert.Equal(0, tape.Mismatches);
        Assert.Equal(rounds, ring.GetStatistics().Underruns);
    }

    private (UsbDeviceHandle Handle, Tape Tape) Listen(IsoSink sink)
    {
        var tape = new Tape();
        sink.Sink.PacketTaken = tape.Add;
        UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(2);
        return (handle, tape);
    }

    /// <summary>Records the packets that a sink has received.</summary>
    private sealed class Tape
    {
        private readonly List<byte> _sound = [];
        private long _packets, _bytes, _mismatches;

        public long Packets => Volatile.Read(ref _packets);

        public long Bytes => Volatile.Read(ref _bytes);

        public long Mismatches => Volatile.Read(ref _mismatches);

        public byte[] Sound => [.. _sound];

        public void Add(long number, ReadOnlySpan<byte> data)
        {
            _ = number;
            foreach (byte value in data)
                _mismatches += value == PatternByte(_bytes++) ? 0 : 1;
            if (_bytes <= 1 << 16)
                _sound.AddRange(data);
            Volatile.Write(ref _packets, _packets + 1);
        }
    }

    [BusFact]
    public async Task Packets_are_sent_with_the_lengths_that_the_program_commits()
    {
        // The first ten packets contain 10 ms of stereo sound at 44.1 kHz with 16 bits: nine packets of 44 frames and one packet of 45 frames. Three shorter
        // packets follow, and two of them have no data. A packet without data also uses a service interval, so the sink must receive it too.
        int[] lengths = [176, 176, 176, 176, 176, 176, 176, 176, 176, 180, 0, 4, 0];
        const int Rounds = 50;
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        List<int> taken = [];
        long position = 0;
        bool right = true;
        using var all = new ManualResetEventSlim();
        sink.Sink.PacketTaken = (_, data) =>
        {
            foreach (byte value in data)
                right &= value == PatternByte(position++);
            taken.Add(data.Length);
            if (taken.Count == Rounds * lengths.Length)
                all.Set();
        };
        UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(2);
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 16, Transfers = 4, Spares = 2 }, 2);
        ring.Start();
        long written = 0;
        for (int round = 0; round < Rounds; round++)
        {
            UsbOutputBuffer buffer = await ring.AcquireAsync();
            Assert.Throws<ArgumentException>(() => buffer.Commit([]));
            Assert.Throws<ArgumentException>(() => buffer.Commit(new int[17]));
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Commit([ring.PacketSize + 1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Commit([-1]));
            int length = lengths.Sum();
            Pattern(written, length).CopyTo(buffer.Memory);
            written += length;
            buffer.Commit(lengths);
            Assert.Throws<ObjectDisposedException>(() => buffer.Commit(lengths));
        }

        await ring.FlushAsync().AsTask().WaitAsync(Patience);
        Assert.True(all.Wait(Patience));
        Assert.Equal(0, ring.UnsentBytes);
        Assert.Equal(Enumerable.Repeat(lengths, Rounds).SelectMany(static one => one), taken);
        Assert.True(right);
    }
}
