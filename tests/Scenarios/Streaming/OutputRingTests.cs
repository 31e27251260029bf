using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that write: the order of the data, back-pressure, ends of messages, and data that is sent again after a halt.</summary>
public sealed class OutputRingTests : RingTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public OutputRingTests() => _handle = Open(_loopback);

    private VirtualEndpoint Output => _loopback.Endpoint(BulkLoopback.OutAddress);

    [BusFact]
    public async Task Committed_data_arrives_in_order()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 1000, Transfers = 3, Spares = 2 });
        ring.Start();
        const int total = 50_000;
        Task<byte[]> reading = Task.Run(() => Read(total));
        long position = 0;
        while (position < total)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            int length = (int)Math.Min(buffer.Span.Length, total - position);
            Pattern(position, length).CopyTo(buffer.Span);
            buffer.Commit(length);
            position += length;
            Assert.Throws<ObjectDisposedException>(() => buffer.Commit(1));
            Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        }

        await ring.FlushAsync();
        Assert.Equal(0, ring.UnsentBytes);
        long checkedTo = 0;
        CheckPattern(await reading, ref checkedTo);
        Assert.Equal(total, ring.GetStatistics().Bytes);
        await ring.StopAsync();
    }

    [BusFact]
    public async Task A_slow_device_makes_the_writer_wait()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 1 });
        Output.Hold();
        ring.Start();
        for (int i = 0; i < 3; i++)
        {
            Assert.True(ring.TryAcquire(out UsbOutputBuffer buffer));
            Pattern(i * 512, 512).CopyTo(buffer.Span);
            buffer.Commit(512);
        }

        Assert.False(ring.TryAcquire(out _));
        Assert.False(ring.TryAcquire(out _, TimeSpan.FromMilliseconds(5)));
        Assert.Equal(1536, ring.UnsentBytes);
        Assert.Equal(2, ring.GetStatistics().InFlight);
        ValueTask<UsbOutputBuffer> waiting = ring.AcquireAsync();
        Assert.False(waiting.IsCompleted);
        Output.Resume();
        using UsbOutputBuffer next = await waiting;
        next.Dispose(); // returns the buffer without data
        await ring.FlushAsync();
        long position = 0;
        CheckPattern(Read(1536), ref position);
        Assert.True(ring.GetStatistics().Underruns >= 1);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_fills_the_free_buffers(bool isStatic)
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = 0 });
        var source = new Source(40_000);
        ring.State = source;
        Task<byte[]> reading = Task.Run(() => Read(40_000));
        if (isStatic)
            ring.Start<Handler>();
        else
            ring.Start(source.Fill);
        long position = 0;
        CheckPattern(await reading, ref position);
        await ring.FlushAsync();
        Assert.Equal(40_000, ring.GetStatistics().Bytes);
    }

    [BusFact]
    public async Task A_handler_without_data_at_the_start_is_called_again_when_the_last_transfer_in_flight_completes()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = 0 });
        for (int round = 0; round < Rounds.Of(300); round++)
        {
            int committed = 0, asked = 0;
            Output.Hold();
            ring.Start(buffer =>
            {
                if (committed++ == 0)
                    buffer.Commit(512);
            });
            await ring.StopAsync();
            Assert.Equal(512, ring.UnsentBytes);

            Output.Resume();
            ring.Start(buffer => // the first call, on this thread, commits nothing; the unsent transfer is submitted, and may complete before Start returns
            {
                if (Interlocked.Increment(ref asked) == 2)
                    buffer.Commit(512);
            });
            Assert.Equal(1024, Read(1024).Length);
            await ring.StopAsync();
        }
    }

    [BusFact]
    public async Task A_zero_length_packet_ends_a_message_on_request()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 1024 });
        ring.Start();
        foreach ((int length, bool ends) in ((int, bool)[])[(512, true), (1024, false), (7, true), (0, false)])
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            buffer.Commit(length, ends);
        }

        await ring.FlushAsync();
        byte[] received = new byte[4096];
        Assert.Equal(512, _handle.At(BulkLoopback.InAddress).Read(received, Patience)); // the empty packet ends this message
        Assert.Equal(1031, _handle.At(BulkLoopback.InAddress).Read(received, Patience)); // the 1,024 bytes continue, and end with the short packet of 7
        Assert.Equal(0, _handle.At(BulkLoopback.InAddress).Read(received, Patience));
    }

    [BusTheory]
    [InlineData(UsbRingStall.Stop)]
    [InlineData(UsbRingStall.ClearHalt)]
    public async Task Data_that_the_device_has_not_taken_is_sent_again_after_a_halt(UsbRingStall stall)
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress,
            new UsbRingOptions { TransferSize = 1000, Transfers = 3, Spares = 5, Stall = stall });
        Output.Hold();
        ring.Start();
        for (int i = 0; i < 6; i++)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            Pattern(i * 1000, 1000).CopyTo(buffer.Span);
            buffer.Commit(1000);
        }

        Assert.True(Output.WaitForPending(3, Patience));
        Output.Release(); // the device takes the first transfer
        Output.Halt();
        if (stall == UsbRingStall.Stop)
        {
            await ring.Completion.WaitAsync(Patience);
            Assert.Equal(UsbError.Pipe, ring.Failure?.Error);
            Assert.Equal(5000, ring.UnsentBytes);
            Assert.Equal(UsbError.Pipe, (await Assert.ThrowsAsync<UsbException>(async () => await ring.FlushAsync())).Error);
            Assert.Equal(UsbError.Pipe, (await Assert.ThrowsAsync<UsbException>(async () => await ring.AcquireAsync())).Error);
            _handle.At(BulkLoopback.OutAddress).ClearHalt();
            ring.Start();
        }

        Output.Resume();
        await ring.FlushAsync();
        long position = 0;
        CheckPattern(Read(6000), ref position);
        Assert.Equal(0, _loopback.Waiting);
    }

    [BusFact]
    public async Task Stopping_cancels_from_the_end_and_keeps_unsent_data()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4 });
        Output.Hold();
        ring.Start();
        for (int i = 0; i < 4; i++)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            Pattern(i * 512, 512).CopyTo(buffer.Span);
            buffer.Commit(512);
        }

        Assert.True(Output.WaitForPending(4, Patience));
        await ring.StopAsync();
        Assert.Equal(2048, ring.UnsentBytes);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await ring.AcquireAsync());
        Output.Resume();
        ring.Start();
        await ring.FlushAsync();
        long position = 0;
        CheckPattern(Read(2048), ref position);
    }

    [BusFact]
    public async Task Unplugging_ends_the_wait()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 0 });
        Output.Hold();
        ring.Start();
        using (UsbOutputBuffer buffer = await ring.AcquireAsync())
            buffer.Commit(100);
        ValueTask<UsbOutputBuffer> waiting = ring.AcquireAsync();
        Bus.Detach(_loopback);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await waiting)).Error);
        Assert.Equal(100, ring.UnsentBytes);
    }

    [BusFact]
    public void Bad_lengths_are_refused()
    {
        using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 100 });
        Assert.False(ring.TryAcquire(out _)); // the ring is not running
        ring.Start();
        Assert.True(ring.TryAcquire(out UsbOutputBuffer buffer));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Commit(101));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Commit(-1));
        buffer.Commit(100);
    }

    private byte[] Read(int total)
    {
        byte[] all = new byte[total];
        int position = 0;
        while (position < total)
            position += _handle.At(BulkLoopback.InAddress).Read(all.AsSpan(position, Math.Min(512, total - position)), Patience);
        return all;
    }

    private sealed class Source(long total)
    {
        private long _position;

        public void Fill(UsbOutputBuffer buffer)
        {
            int length = (int)Math.Min(buffer.Span.Length, total - _position);
            if (length == 0)
                return;
            Pattern(_position, length).CopyTo(buffer.Span);
            _position += length;
            buffer.Commit(length);
        }
    }

    private readonly struct Handler : IUsbOutputHandler
    {
        public static void Fill(UsbOutputBuffer buffer) => ((Source)buffer.Ring.State!).Fill(buffer);
    }
}
