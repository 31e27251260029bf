using System.IO.Pipelines;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests output rings that a program uses as a <see cref="Stream"/> or a pipe. The tests check when the ring sends data and how it ends messages. Some devices
/// in these tests are slow.
/// </summary>
public sealed class OutputStreamTests : RingTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public OutputStreamTests() => _handle = Open(_loopback);

    private VirtualEndpoint Output => _loopback.Endpoint(BulkLoopback.OutAddress);

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_are_sent_in_whole_transfers_and_the_rest_when_flushed(bool waits)
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 2, Spares = 1 });
        await using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
        const int total = 40_000;
        Task<List<int>> reading = Task.Run(() => ReadTransfers(total));
        for (int done = 0, i = 1; done < total; i++)
        {
            int length = Math.Min((i * 311) % 3000, total - done);
            if (waits)
                stream.Write(Pattern(done, length));
            else
                await stream.WriteAsync(Pattern(done, length));
            done += length;
        }

        if (waits)
            stream.Flush();
        else
            await stream.FlushAsync();
        Assert.Equal(0, ring.UnsentBytes);
        List<int> sent = await reading;
        Assert.All(sent.SkipLast(1), length => Assert.Equal(1024, length));
        Assert.Equal(total % 1024, sent[^1]);
        await stream.FlushAsync(); // sends nothing
        Assert.Equal((total / 1024) + 1, ring.GetStatistics().Transfers.Completed);
    }

    [BusFact]
    public async Task The_end_of_a_message_is_a_short_or_an_empty_packet()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 1200, Transfers = 4 }); // not a multiple of a packet
        await using (UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.ShortPacket))
        {
            foreach (int length in (int[])[3000, 2048, 0, 512, 5])
            {
                stream.Write(Pattern(0, length));
                await stream.EndMessageAsync();
            }

            stream.Write(Pattern(0, 1024));
            await stream.FlushAsync(); // a flush ends the message too
            await stream.FlushAsync(); // no message was begun, so nothing is sent
            stream.EndMessage(); // sends an empty message
            stream.Write(Pattern(0, 512)); // disposing the stream ends this message
        }

        foreach (int length in (int[])[3000, 2048, 0, 512, 5, 1024, 0, 512])
            Assert.Equal(Pattern(0, length), ReadMessage());
        Assert.Equal(0, _loopback.Waiting);
    }

    [BusFact]
    public async Task A_slow_device_makes_a_write_wait_and_a_timeout_reports_the_accepted_bytes()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 1 });
        Output.Hold();
        UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = -2);
        stream.WriteTimeout = 5;
        UsbException full = Assert.Throws<UsbException>(() => stream.Write(Pattern(0, 2000)));
        Assert.Equal((UsbError.Timeout, 1536), (full.Error, full.BytesTransferred));
        Assert.Equal(UsbError.Timeout, Assert.Throws<UsbException>(() => stream.Flush()).Error);
        using (var cancellation = new CancellationTokenSource())
        {
            ValueTask writing = stream.WriteAsync(Pattern(1536, 100), cancellation.Token);
            Assert.False(writing.IsCompleted);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await writing);
        }

        ValueTask rest = stream.WriteAsync(Pattern(1536, 464));
        Assert.False(rest.IsCompleted);
        Output.Resume();
        await rest;
        await stream.DisposeAsync(); // flushes
        Assert.Throws<ObjectDisposedException>(() => stream.Write([1]));
        byte[] all = new byte[2000];
        int read = 0;
        while (read < all.Length)
            read += _handle.At(BulkLoopback.InAddress).Read(all.AsSpan(read, Math.Min(512, all.Length - read)), Patience);
        long position = 0;
        CheckPattern(all, ref position);
    }

    [BusFact]
    public async Task The_failure_of_a_ring_is_thrown_and_a_restarted_ring_continues_where_it_stopped()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 1 });
        UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
        Output.Hold();
        stream.Write(Pattern(0, 700)); // fills both buffers before the first one fails
        Output.Halt();
        Output.Resume();
        await ring.Completion.WaitAsync(Patience);
        Assert.Equal(UsbError.Pipe, Assert.Throws<UsbException>(() => stream.Flush()).Error);
        _handle.At(BulkLoopback.OutAddress).ClearHalt();
        ring.Start();
        await stream.FlushAsync();
        Assert.Equal(Pattern(0, 700), ReadMessage());
        await ring.StopAsync();
        Assert.Throws<InvalidOperationException>(() => stream.Write(Pattern(0, 5000)));
        ring.Start();
        stream.Write(Pattern(0, 5));
        await ring.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(stream.Dispose); // the stream can no longer send its 5 bytes, so Dispose throws
        stream.Dispose();
    }

    [BusTheory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5000)] // longer than a transfer: the writer collects it in separate memory
    public async Task A_pipe_sends_flushed_data_in_order(int piece)
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 2, Spares = 1 });
        UsbPipeWriter writer = ring.AsPipeWriter(UsbWriteBoundary.None);
        const int total = 30_000;
        Task<List<int>> reading = Task.Run(() => ReadTransfers(total));
        int done = 0;
        while (done < total)
        {
            int length = Math.Min(piece, total - done);
            Pattern(done, length).CopyTo(writer.GetMemory(length));
            writer.Advance(length);
            done += length;
            if (done % 2000 < piece)
                Assert.False((await writer.FlushAsync()).IsCanceled);
        }

        await writer.CompleteAsync();
        Assert.Equal(0, ring.UnsentBytes);
        Assert.Equal(total, (await reading).Sum());
        Assert.Throws<InvalidOperationException>(() => writer.GetSpan());
    }

    [BusFact]
    public async Task A_flush_of_a_pipe_ends_a_message_and_does_not_wait_for_the_device()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 4, Spares = 4 });
        PipeWriter writer = ring.AsPipeWriter(UsbWriteBoundary.ShortPacket);
        Output.Hold();
        foreach (int length in (int[])[1024, 5, 512])
            Assert.True((await writer.WriteAsync(Pattern(0, length))) is { IsCanceled: false, IsCompleted: false });
        Assert.True(writer.CanGetUnflushedBytes);
        Assert.Equal(0, writer.UnflushedBytes);
        writer.GetSpan(10);
        writer.Advance(7);
        Assert.Equal(7, writer.UnflushedBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(1_000_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.GetMemory(-1));
        Output.Resume();
        await writer.CompleteAsync();
        foreach (int length in (int[])[1024, 5, 512])
            Assert.Equal(Pattern(0, length), ReadMessage());
        Assert.Equal(7, ReadMessage().Length);
    }

    [BusFact]
    public async Task A_flush_that_waits_can_be_cancelled_both_ways_and_nothing_is_lost()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 0 });
        UsbPipeWriter writer = ring.AsPipeWriter(UsbWriteBoundary.ShortPacket);
        Output.Hold();
        Pattern(0, 1500).CopyTo(writer.GetMemory(1500));
        writer.Advance(1500);
        Assert.Equal(1500, writer.UnflushedBytes);
        Task<FlushResult> flushing = writer.FlushAsync().AsTask();
        Assert.False(flushing.IsCompleted);
        writer.CancelPendingFlush();
        Assert.True((await flushing).IsCanceled);
        using (var cancellation = new CancellationTokenSource())
        {
            flushing = writer.FlushAsync(cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flushing);
        }

        Assert.Equal(988, writer.UnflushedBytes);
        flushing = writer.FlushAsync().AsTask();
        Output.Resume();
        Assert.False((await flushing).IsCanceled);
        writer.Complete();
        await ring.FlushAsync();
        Assert.Equal(Pattern(0, 1500), ReadMessage());
    }

    [BusFact]
    public async Task An_end_that_had_to_wait_comes_before_the_next_message()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 0 });
        await using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.ShortPacket);
        Output.Hold();
        stream.Write(Pattern(0, 512));
        using (var cancellation = new CancellationTokenSource())
        {
            ValueTask ending = stream.EndMessageAsync(cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await ending);
        }

        Output.Resume();
        await stream.WriteAsync(Pattern(0, 7));
        await stream.FlushAsync();
        Assert.Equal(512, ReadMessage().Length);
        Assert.Equal(7, ReadMessage().Length);
    }

    [BusFact]
    public async Task A_pipe_writer_completed_with_an_exception_sends_nothing_more()
    {
        await using UsbOutputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 0 });
        UsbPipeWriter writer = ring.AsPipeWriter(UsbWriteBoundary.None);
        writer.GetSpan(10);
        writer.Advance(10);
        writer.Complete(new InvalidOperationException());
        writer.Complete();
        await ring.FlushAsync();
        Assert.Equal(0, ring.GetStatistics().Bytes);
        Assert.True(ring.TryAcquire(out UsbOutputBuffer buffer)); // the writer has returned its buffer to the ring
        buffer.Dispose();
    }

    [BusFact]
    public async Task An_isochronous_endpoint_is_written_too()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(2);
        long position = 0, packets = 0;
        sink.Sink.PacketTaken = (number, data) =>
        {
            foreach (byte value in data)
                position += value == PatternByte(position) ? 1 : 1_000_000;
            packets++;
        };
        await using UsbOutputRing ring = OutputRing(handle, IsoSink.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 4, Transfers = 3, Spares = 1 }, 2);
        ring.Start();
        Assert.Throws<ArgumentException>(() => ring.AsStream(UsbWriteBoundary.ShortPacket));
        await using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
        await stream.WriteAsync(Pattern(0, 100_000));
        await stream.FlushAsync();
        Assert.Throws<InvalidOperationException>(stream.EndMessage);
        Assert.Equal(100_000, position);
        Assert.Equal((100_000 + 1023) / 1024, packets);
    }

    [BusFact]
    public async Task Rings_that_cannot_be_written_and_unsupported_calls_are_refused()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 100 });
        Assert.Throws<InvalidOperationException>(() => ring.AsStream(UsbWriteBoundary.None));
        ring.Start(_ => { });
        Assert.Throws<InvalidOperationException>(() => ring.AsPipeWriter(UsbWriteBoundary.None));
        await ring.StopAsync();
        ring.Start();
        Assert.Contains("512", Assert.Throws<ArgumentException>(() => ring.AsStream(UsbWriteBoundary.ShortPacket)).Message, StringComparison.Ordinal);
        using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.None);
        Assert.False(stream.CanSeek || stream.CanRead);
        Assert.Throws<NotSupportedException>(() => stream.Read([0], 0, 1));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    private UsbOutputRing Started(UsbRingOptions options)
    {
        UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, options);
        ring.Start();
        return ring;
    }

    /// <summary>Reads one message back from the device. The message ends with a short or empty packet.</summary>
    private byte[] ReadMessage()
    {
        var message = new List<byte>();
        byte[] packet = new byte[512];
        int length;
        do
        {
            length = _handle.At(BulkLoopback.InAddress).Read(packet, Patience);
            message.AddRange(packet[..length]);
        }
        while (length == packet.Length);
        return [.. message];
    }

    /// <summary>Reads the pattern back from the device, and returns the length of each read.</summary>
    private List<int> ReadTransfers(int total)
    {
        var lengths = new List<int>();
        long position = 0;
        byte[] bytes = new byte[1024];
        while (position < total)
        {
            int length = _handle.At(BulkLoopback.InAddress).Read(bytes, Patience);
            CheckPattern(bytes.AsSpan(0, length), ref position);
            lengths.Add(length);
        }

        return lengths;
    }
}
