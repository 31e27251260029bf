using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that read a bulk endpoint: the order of the data, programs that read late, failures, and data that arrived before a stop.</summary>
public sealed class InputRingTests : RingTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public InputRingTests() => _handle = Open(_loopback);

    private VirtualEndpoint Input => _loopback.Endpoint(BulkLoopback.InAddress);

    [BusFact]
    public async Task A_ring_that_was_not_started_or_has_a_handler_is_not_read()
    {
        using UsbInputRing ring = InputRing(Open(new BulkSourceSink()), BulkSourceSink.InAddress);
        await Refuses();
        ring.Start(static _ => { });
        await Refuses();
        await ring.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => ring.TryTake(out _));
        Assert.Throws<InvalidOperationException>(() => default(UsbInputBuffer).Length);

        async Task Refuses()
        {
            Assert.Throws<InvalidOperationException>(() => ring.TryTake(out _));
            Assert.Throws<InvalidOperationException>(() => ring.TryTake(out _, Patience));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.ReadAsync());
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.WaitToReadAsync());
            await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            {
                await foreach (UsbInputBuffer buffer in ring.ReadAllAsync())
                    buffer.Dispose();
            });
        }
    }

    // The buffers that are ready when the handler starts belong to the handler. The handler receives these buffers when the next transfer completes.
    [BusFact]
    public async Task A_reader_takes_no_buffer_that_is_ready_for_a_handler()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 2 });
        ring.Start();
        await using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        Write(0, 512, 512);
        Assert.True(await ring.WaitToReadAsync());
        await ring.StopAsync();

        var recorder = new Recorder(1024);
        ring.Start(recorder.Add);
        Assert.Throws<InvalidOperationException>(() => ring.TryTake(out _));
        Assert.Throws<InvalidOperationException>(() => ring.TryTake(out _, Patience));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.ReadAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.WaitToReadAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync());
        Assert.Throws<InvalidOperationException>(() => stream.ReadByte());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.ReadExactlyAsync(new byte[1]));
        Assert.Throws<InvalidOperationException>(() => reader.TryRead(out _));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await reader.ReadAsync());

        Write(512, 512, 512);
        await recorder.Done.Task.WaitAsync(Patience);
    }

    [BusFact]
    public async Task Data_of_the_device_is_read_in_order()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 1024, Transfers = 4, Spares = 2 });
        ring.Start();
        Assert.True(ring.IsRunning);
        const int total = 100_000;
        Task writing = Task.Run(() => Write(0, total, 1000));
        long position = 0, sequence = 0;
        while (position < total)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.Equal(sequence++, buffer.Sequence);
            Assert.Equal(UsbTransferStatus.Completed, buffer.Status);
            Assert.True(buffer.LostBefore.IsNone);
            CheckPattern(buffer.Data, ref position);
        }

        await writing;
        await ring.StopAsync();
        Assert.True((await ring.ReadAsync()).IsNone);
        Assert.False(await ring.WaitToReadAsync());
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(total, statistics.Bytes);
        Assert.Equal(sequence, statistics.Transfers.Completed);
        Assert.Equal(4, statistics.Transfers.Canceled);
        Assert.Equal(0, statistics.InFlight);
        Assert.Null(ring.Failure);
    }

    [BusFact]
    public async Task Transfers_that_end_out_of_order_are_delivered_in_order()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = 4 });
        Input.Hold();
        ring.Start();
        Assert.True(Input.WaitForPending(4, Patience));
        IReadOnlyList<VirtualUrb> urbs = Input.Pending;
        foreach (int index in (int[])[2, 1, 3])
            urbs[index].CompleteWith([(byte)index]);
        while (ring.GetStatistics().Completions < 3)
            await Task.Yield();
        Assert.False(ring.TryTake(out _)); // the first transfer is still in flight
        urbs[0].CompleteWith([0]);
        for (int i = 0; i < 4; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.Equal(i, buffer.Sequence);
            Assert.Equal((byte)i, buffer.Data[0]);
        }
    }

    [BusTheory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_late_reader_makes_the_ring_wait_and_loses_nothing(int spares)
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = spares });
        ring.Start();
        const int total = 20_000;
        Write(0, total, 500);
        Assert.True(SpinWait.SpinUntil(() => ring.GetStatistics().LowestInFlight == 0, Patience)); // all buffers are full
        Assert.Equal((0, 2 + spares), (ring.GetStatistics().InFlight, ring.GetStatistics().Completions));
        long position = 0;
        await foreach (UsbInputBuffer buffer in ring.ReadAllAsync())
        {
            CheckPattern(buffer.Data, ref position);
            if (position == total)
                break;
        }

        Assert.True(ring.GetStatistics().Dropped.IsNone);
    }

    [BusFact]
    public async Task A_ring_that_drops_data_reports_the_loss_to_a_late_reader()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress,
            new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 2, Overflow = UsbRingOverflow.Drop });
        ring.Start();
        for (int i = 0; i < 20; i++)
            Write(i * 100, 100, 100);
        // The ring counts a transfer before it submits the transfer again, so the last transfer may not be submitted yet.
        Assert.True(SpinWait.SpinUntil(() => ring.GetStatistics().Dropped.Transfers == 18, Patience));
        Assert.True(SpinWait.SpinUntil(() => ring.GetStatistics().InFlight == 2, Patience));
        Assert.Equal(20, ring.GetStatistics().Completions);
        Assert.Equal(new UsbRingLoss(18, 0, 1800), ring.GetStatistics().Dropped);
        for (int i = 0; i < 2; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.True(buffer.LostBefore.IsNone);
            long position = i * 100;
            CheckPattern(buffer.Data, ref position);
        }

        Write(2000, 100, 100);
        using UsbInputBuffer after = await ring.ReadAsync();
        Assert.Equal(new UsbRingLoss(18, 0, 1800), after.LostBefore);
        Assert.Equal(20, after.Sequence);
        long next = 2000;
        CheckPattern(after.Data, ref next);
    }

    [BusFact]
    public async Task A_static_handler_gets_every_buffer()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4 });
        var recorder = new Recorder(50_000);
        ring.State = recorder;
        ring.Start<Handler>();
        Write(0, 50_000, 777);
        await recorder.Done.Task.WaitAsync(Patience);
        Assert.True(ring.GetStatistics().LowestInFlight >= 4); // the ring submits a replacement before the handler gets the buffer
        await ring.StopAsync();
    }

    [BusFact]
    public async Task A_callback_gets_every_buffer_of_a_ring_without_spares()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = 0 });
        var recorder = new Recorder(50_000);
        UsbInputBuffer kept = default;
        ring.Start(buffer =>
        {
            recorder.Add(buffer);
            kept = buffer;
        });
        Write(0, 50_000, 512);
        await recorder.Done.Task.WaitAsync(Patience);
        await ring.StopAsync();
        Assert.Throws<ObjectDisposedException>(() => kept.Length); // the buffer belongs to the ring again
    }

    [BusFact]
    public async Task An_exception_from_the_handler_is_reported_and_the_stream_goes_on()
    {
        var reports = new List<UsbUnhandledCallbackExceptionEventArgs>();
        Context.UnhandledCallbackException += (_, e) => reports.Add(e);
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 0 });
        var recorder = new Recorder(1500);
        ring.Start(buffer =>
        {
            recorder.Add(buffer);
            if (buffer.Sequence == 0)
                throw new InvalidDataException();
        });
        Write(0, 1500, 500);
        await recorder.Done.Task.WaitAsync(Patience);
        Assert.Same(ring, Assert.Single(reports).Source);
    }

    [BusFact]
    public async Task A_reader_that_stops_for_a_while_loses_nothing()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 1024, Transfers = 4, Spares = 4 });
        ring.Start();
        const int total = 400_000;
        Task writing = Task.Run(() => Write(0, total, 1000));
        long position = 0;
        bool stopped = false;
        while (position < total)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            CheckPattern(buffer.Data, ref position);
            if (position <= total / 2 || stopped)
                continue;
            stopped = true;
            while (ring.GetStatistics().InFlight > 0) // until the ring has filled every buffer and waits
                await Task.Yield();
        }

        await writing;
        Assert.True(ring.GetStatistics().Dropped.IsNone);
    }

    [BusFact]
    public async Task Received_data_is_delivered_after_unplugging_and_then_reads_fail()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 3, Spares = 8 });
        ring.Start();
        Write(0, 1500, 300);
        Write(1500, 512, 512); // a full packet in a full transfer
        while (ring.GetStatistics().Bytes < 2012)
            await Task.Yield();
        Bus.Detach(_loopback);
        await ring.Completion.WaitAsync(Patience);
        long position = 0;
        while (position < 2012)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            CheckPattern(buffer.Data, ref position);
        }

        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await ring.ReadAsync())).Error);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await ring.WaitToReadAsync())).Error);
        Assert.Throws<UsbException>(() => ring.TryTake(out _, Patience));
        Assert.Equal(UsbError.NoDevice, ring.Failure?.Error);
        Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(() => ring.Start()).Error);
    }

    [BusFact]
    public async Task A_stopped_ring_keeps_received_data_and_can_start_again()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 1024, Transfers = 2, Spares = 4 });
        ring.Start();
        Write(0, 512, 512); // one full packet does not end a transfer of two packets
        Assert.True(Input.WaitForSubmitted(2, Patience));
        while (_loopback.Waiting > 0)
            await Task.Yield();
        await ring.StopAsync();
        Assert.False(ring.IsRunning);
        long position = 0;
        using (UsbInputBuffer buffer = await ring.ReadAsync())
        {
            Assert.Equal(UsbTransferStatus.Canceled, buffer.Status);
            CheckPattern(buffer.Data, ref position);
        }

        Assert.Equal(512, position);
        Assert.True((await ring.ReadAsync()).IsNone);
        ring.Start();
        Write(512, 100, 100);
        using UsbInputBuffer next = await ring.ReadAsync();
        CheckPattern(next.Data, ref position);
        Assert.Equal(612, position);
        await ring.StopAsync();
        await ring.StopAsync();
    }

    [BusFact]
    public async Task A_stall_stops_a_ring_which_can_start_again_after_the_halt_is_cleared()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 3 });
        ring.Start();
        Write(0, 300, 100);
        while (ring.GetStatistics().Bytes < 300)
            await Task.Yield();
        Input.Halt();
        await ring.Completion.WaitAsync(Patience);
        long position = 0;
        UsbException? failure = null;
        try
        {
            await foreach (UsbInputBuffer buffer in ring.ReadAllAsync())
                CheckPattern(buffer.Data, ref position);
        }
        catch (UsbException exception)
        {
            failure = exception;
        }

        Assert.Equal(UsbError.Pipe, failure?.Error);
        Assert.Equal(300, position);
        _handle.At(BulkLoopback.InAddress).ClearHalt();
        ring.Start();
        Assert.Null(ring.Failure);
        Write(300, 100, 100);
        using UsbInputBuffer next = await ring.ReadAsync();
        CheckPattern(next.Data, ref position);
    }

    [BusFact]
    public async Task A_ring_with_the_ClearHalt_option_continues_after_a_stall()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress,
            new UsbRingOptions { TransferSize = 512, Transfers = 3, Stall = UsbRingStall.ClearHalt });
        ring.Start();
        long position = 0;
        for (int round = 0; round < 5; round++)
        {
            Write(position, 300, 100);
            long end = position + 300;
            while (position < end)
            {
                using UsbInputBuffer buffer = await ring.ReadAsync();
                CheckPattern(buffer.Data, ref position);
            }

            Input.Halt();
            while (ring.GetStatistics().Recoveries <= round)
                await Task.Yield();
        }

        Assert.Null(ring.Failure);
        Assert.Equal(5, ring.GetStatistics().Recoveries);
    }

    [BusFact]
    public async Task Errors_are_counted_and_too_many_errors_in_a_row_end_the_ring()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 1024, Transfers = 1, ErrorLimit = 3 });
        Input.FailNext(UrbStatus.Protocol);
        Input.FailNext(UrbStatus.Protocol);
        ring.Start();
        while (ring.GetStatistics().Transfers.Error < 2)
            await Task.Yield();
        Write(0, 100, 100); // one good transfer between the errors
        while (ring.GetStatistics().Transfers.Completed < 1)
            await Task.Yield();
        Assert.True(ring.IsRunning);
        Assert.True(Input.WaitForPending(1, Patience)); // the next faults hit the transfers after this one
        Input.FailNext(UrbStatus.Protocol);
        Input.FailNext(UrbStatus.Overflow);
        Input.FailNext(UrbStatus.Protocol);
        Write(100, 100, 100); // the transfer in flight receives these bytes; those after it fail
        await ring.Completion.WaitAsync(Patience);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(4, statistics.Transfers.Error);
        Assert.Equal(1, statistics.Transfers.Overflow);
        var statuses = new List<UsbTransferStatus>();
        while (ring.TryTake(out UsbInputBuffer buffer))
        {
            statuses.Add(buffer.Status);
            buffer.Dispose();
        }

        Assert.Equal(UsbError.IO, ring.Failure?.Error);
        Assert.Equal(7, statuses.Count);
    }

    [BusFact]
    public async Task Short_and_zero_length_packets_are_reported()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512 });
        ring.Start();
        _handle.At(BulkLoopback.OutAddress).Write(new byte[512], Patience);
        _handle.At(BulkLoopback.OutAddress).Write([], Patience);
        _handle.At(BulkLoopback.OutAddress).Write(new byte[7], Patience);
        (int, bool)[] expected = [(512, false), (0, true), (7, true)];
        foreach ((int length, bool ends) in expected)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync();
            Assert.Equal(length, buffer.Length);
            Assert.Equal(ends, buffer.EndsWithShortPacket);
            Assert.Equal(UsbTransferStatus.Completed, buffer.Status);
        }
    }

    [BusFact]
    public async Task Closing_the_handle_ends_the_ring()
    {
        UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress);
        ring.Start();
        ValueTask<UsbInputBuffer> reading = ring.ReadAsync();
        await _handle.DisposeAsync();
        Assert.Equal(UsbError.Closed, (await Assert.ThrowsAsync<UsbException>(async () => await reading)).Error);
        await ring.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => ring.Start());
    }

    [BusTheory]
    [InlineData("ring")]
    [InlineData("handle")]
    [InlineData("context")]
    public async Task A_ring_without_a_reader_does_not_delay_closing(string closed)
    {
        const int buffers = 6;
        UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = buffers - 4 });
        ring.Start();
        Write(0, 2 * buffers * 512, 512); // fills all buffers of the ring, and as many bytes again stay in the device
        while (ring.GetStatistics().InFlight > 0)
            await Task.Yield();
        switch (closed)
        {
            case "ring":
                await ring.DisposeAsync();
                break;
            case "handle":
                _handle.Dispose();
                break;
            default:
                Context.Dispose();
                break;
        }

        Assert.True(ring.Completion.IsCompleted);
        Assert.False(ring.IsRunning);
        Assert.Equal(buffers, ring.GetStatistics().Completions);
        if (closed == "ring")
            return;
        Assert.Equal(UsbError.Closed, ring.Failure!.Error);
        long position = 0;
        while (ring.TryTake(out UsbInputBuffer buffer)) // the data that had arrived can still be read
        {
            using (buffer)
                CheckPattern(buffer.Data, ref position);
        }

        Assert.Equal(buffers * 512, position);
        await Assert.ThrowsAsync<UsbException>(async () => await ring.ReadAsync());
        ring.Dispose();
    }

    [BusFact]
    public async Task Another_ring_can_use_the_endpoint_of_a_disposed_ring()
    {
        UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512 });
        Assert.Throws<InvalidOperationException>(() => InputRing(_handle, BulkLoopback.InAddress));
        ring.Start();
        Assert.Throws<InvalidOperationException>(() => ring.Start());
        Write(0, 100, 100);
        UsbInputBuffer held = await ring.ReadAsync();
        await ring.DisposeAsync();
        long position = 0;
        CheckPattern(held.Data, ref position); // the buffer belongs to the program until it is returned
        held.Dispose();
        held.Dispose();
        await using UsbInputRing other = InputRing(_handle, BulkLoopback.InAddress);
        other.Start();
        Write(0, 100, 100);
        using UsbInputBuffer buffer = await other.ReadAsync();
        Assert.Equal(100, buffer.Length);
    }

    [BusFact]
    public async Task A_waiting_read_can_be_cancelled_and_repeated()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress);
        ring.Start();
        for (int round = 0; round < 200; round++)
        {
            using var cancellation = new CancellationTokenSource();
            ValueTask<UsbInputBuffer> reading = ring.ReadAsync(cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        }

        ValueTask<UsbInputBuffer> last = ring.ReadAsync();
        Write(0, 10, 10);
        using UsbInputBuffer buffer = await last;
        Assert.Equal(10, buffer.Length);
    }

    [BusFact]
    public void A_thread_may_wait_for_a_buffer()
    {
        using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512 });
        ring.Start();
        Assert.False(ring.TryTake(out _, TimeSpan.FromMilliseconds(5)));
        var writer = new Thread(() => Write(0, 10_000, 100));
        writer.Start();
        long position = 0;
        while (position < 10_000)
        {
            Assert.True(ring.TryTake(out UsbInputBuffer buffer, Patience));
            CheckPattern(buffer.Data, ref position);
            buffer.Dispose();
        }

        writer.Join();
    }

    [BusFact]
    public void Impossible_sizes_are_refused_and_the_maximum_is_named()
    {
        Refused<ArgumentException>(new UsbRingOptions { TransferSize = 100 }, "512");
        Refused<ArgumentException>(new UsbRingOptions { PacketsPerTransfer = 8 }, "TransferSize");
        Refused<ArgumentOutOfRangeException>(new UsbRingOptions { Transfers = -1 }, "0 to 4096");
        Refused<ArgumentOutOfRangeException>(new UsbRingOptions { Transfers = 4097 }, "0 to 4096");
        Refused<ArgumentOutOfRangeException>(new UsbRingOptions { Spares = -1 }, "0 to 4096");
        Refused<ArgumentOutOfRangeException>(new UsbRingOptions { ErrorLimit = 0 }, "ErrorLimit");
        Refused<ArgumentException>(new UsbRingOptions { TransferSize = 1 << 20, Transfers = 16 }, "at most 15");
        Assert.Throws<ArgumentException>(() => OutputRing(_handle, BulkLoopback.InAddress));
        using UsbInputRing dropping = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { Spares = 0, Overflow = UsbRingOverflow.Drop });
        Assert.Throws<InvalidOperationException>(() => dropping.Start());

        void Refused<T>(UsbRingOptions options, string expected)
            where T : ArgumentException =>
            Assert.Contains(expected, Assert.Throws<T>(() => InputRing(_handle, BulkLoopback.InAddress, options)).Message, StringComparison.Ordinal);
    }

    [BusTheory]
    [InlineData(40_000_000.0, 100)]
    [InlineData(1_000.0, 25)]
    [InlineData(400_000_000.0, 30)]
    public void Sizes_come_from_a_rate_and_a_time(double rate, int milliseconds)
    {
        UsbRingOptions options = UsbRingOptions.ForRate(Endpoint(_handle, BulkLoopback.InAddress), rate, TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(0, options.TransferSize % 512);
        Assert.InRange(options.Transfers, 2, 1024);
        double depth = options.TransferSize * (double)options.Transfers / rate;
        Assert.True(depth >= milliseconds / 1000.0, $"{depth} s");
        using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, options);
        Assert.Equal(options.TransferSize, ring.TransferSize);
    }

    /// <summary>
    /// Divides a part of the pattern into pieces, and sends them to the device. The device sends the pieces back. Each piece that is shorter than a packet ends
    /// one transfer of the ring.
    /// </summary>
    private void Write(long start, int length, int piece)
    {
        for (int done = 0; done < length; done += piece)
            _handle.At(BulkLoopback.OutAddress).Write(Pattern(start + done, Math.Min(piece, length - done)), Patience);
    }

    private sealed class Recorder(long total)
    {
        private long _position;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Add(UsbInputBuffer buffer)
        {
            try
            {
                CheckPattern(buffer.Data, ref _position);
                if (_position >= total)
                    Done.TrySetResult();
            }
            catch (Exception exception)
            {
                Done.TrySetException(exception);
            }
        }
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => ((Recorder)buffer.Ring.State!).Add(buffer);
    }
}
