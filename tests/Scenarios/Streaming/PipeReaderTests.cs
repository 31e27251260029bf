using System.Buffers;
using System.IO.Pipelines;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that a program reads as a pipe: access to the ring's own memory, back-pressure, messages and losses.</summary>
public sealed class PipeReaderTests : RingTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public PipeReaderTests() => _handle = Open(_loopback);

    private VirtualEndpoint Input => _loopback.Endpoint(BulkLoopback.InAddress);

    [BusTheory]
    [InlineData(0)] // without spares, the reader must copy the bytes that were not consumed
    [InlineData(1)]
    [InlineData(8)]
    public async Task Lines_of_any_length_are_read_across_transfers(int spares)
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = spares });
        PipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        byte[][] lines = [.. Enumerable.Range(0, 60).Select(i => Enumerable.Repeat((byte)(i + 65), (i * 331) % 9000).ToArray())];
        Task writing = Task.Run(() =>
        {
            foreach (byte[] line in lines)
                _handle.At(BulkLoopback.OutAddress).Write([.. line, (byte)'\n'], Patience);
        });
        int next = 0;
        while (next < lines.Length)
        {
            ReadResult result = await reader.ReadAsync();
            Assert.False(result.IsCanceled || result.IsCompleted);
            ReadOnlySequence<byte> left = result.Buffer;
            while (left.PositionOf((byte)'\n') is { } end)
            {
                Assert.Equal(lines[next++], left.Slice(0, end).ToArray());
                left = left.Slice(left.GetPosition(1, end));
            }

            reader.AdvanceTo(left.Start, left.End);
        }

        await writing;
        await ring.StopAsync();
        ReadResult last = await reader.ReadAsync();
        Assert.True(last.IsCompleted);
        Assert.True(last.Buffer.IsEmpty);
        await reader.CompleteAsync();

        // The reader has returned all memory to the ring. The ring can therefore fill each of its buffers once, although the reader takes no further data.
        ring.Start();
        long before = ring.GetStatistics().Completions;
        for (int i = 0; i < 2 + spares; i++)
            Send(0, 1);
        while (ring.GetStatistics().Completions < before + 2 + spares)
            await Task.Yield();
    }

    [BusFact]
    public async Task Unconsumed_data_is_read_again_and_unexamined_data_is_read_at_once()
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 4 });
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        Assert.False(reader.TryRead(out _));
        Send(0, 300);
        Send(300, 300);
        ReadResult result = await reader.ReadAtLeastAsync(600);
        Assert.Equal(Pattern(0, 600), result.Buffer.ToArray());
        reader.AdvanceTo(result.Buffer.GetPosition(200), result.Buffer.GetPosition(400));
        Assert.True(reader.TryRead(out result)); // 200 bytes were not examined
        Assert.Equal(Pattern(200, 400), result.Buffer.ToArray());
        reader.AdvanceTo(result.Buffer.GetPosition(150), result.Buffer.End);
        Assert.False(reader.TryRead(out _));
        ValueTask<ReadResult> reading = reader.ReadAsync();
        Assert.False(reading.IsCompleted);
        Send(600, 10);
        result = await reading;
        Assert.Equal(Pattern(350, 260), result.Buffer.ToArray());
        Assert.Throws<InvalidOperationException>(() => reader.AdvanceTo(new SequencePosition(new object(), 0)));
        reader.AdvanceTo(result.Buffer.End);
        Assert.False(reader.TryRead(out _));
    }

    [BusFact]
    public async Task A_message_is_never_read_together_with_the_next()
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 3 });
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.ShortPacket);
        int[] lengths = [3000, 2048, 0, 5, 1024, 1];
        foreach (int length in lengths)
        {
            Send(0, length);
            if (length > 0 && length % 512 == 0)
                Send(0, 0);
        }

        foreach (int length in lengths)
        {
            ReadResult result;
            while (true)
            {
                result = await reader.ReadAsync();
                if (reader.EndsMessage)
                    break;
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }

            Assert.Equal(Pattern(0, length), result.Buffer.ToArray());
            if (length > 0)
            {
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                Assert.True(reader.TryRead(out result)); // the message is not consumed yet, so the reader does not go on to the next one
                Assert.True(reader.EndsMessage);
            }

            reader.AdvanceTo(result.Buffer.End);
        }

        Assert.False(reader.TryRead(out _));
        Assert.False(reader.EndsMessage);
    }

    [BusFact]
    public async Task A_waiting_read_can_be_cancelled_both_ways()
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512 });
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        ValueTask<ReadResult> reading = reader.ReadAsync();
        reader.CancelPendingRead();
        ReadResult result = await reading;
        Assert.True(result.IsCanceled);
        reader.AdvanceTo(result.Buffer.Start);
        reader.CancelPendingRead(); // no read waits, so the next read is cancelled
        Assert.True((await reader.ReadAsync()).IsCanceled);
        using var cancellation = new CancellationTokenSource();
        reading = reader.ReadAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        Send(0, 20);
        Assert.Equal(Pattern(0, 20), (await reader.ReadAsync()).Buffer.ToArray());
        reader.Complete();
        Assert.Throws<InvalidOperationException>(() => reader.TryRead(out _));
        Assert.True(ring.IsRunning);
        Send(0, 30);
        using UsbInputBuffer buffer = await ring.ReadAsync(); // the ring has all its memory back
        Assert.Equal(30, buffer.Length);
    }

    [BusFact]
    public async Task Losses_and_failures_are_thrown_in_their_place()
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 1, Spares = 8 });
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        Assert.True(Input.WaitForPending(1, Patience));
        Input.FailNext(UrbStatus.Protocol, 512); // hits the transfer after the one in flight
        Send(0, 100);
        Send(100, 600);
        while (ring.GetStatistics().Transfers.Error < 1)
            await Task.Yield();
        Send(100, 50);
        ReadResult result = await reader.ReadAtLeastAsync(612);
        Assert.Equal(Pattern(0, 612), result.Buffer.ToArray()); // the rest of the failed transfer is lost
        reader.AdvanceTo(result.Buffer.GetPosition(600), result.Buffer.End);
        Assert.Equal(UsbError.IO, (await Assert.ThrowsAsync<UsbException>(async () => await reader.ReadAsync())).Error);
        result = await reader.ReadAtLeastAsync(62);
        Assert.Equal(Pattern(100, 50), result.Buffer.Slice(12).ToArray()); // the 12 unconsumed bytes are followed by the bytes after the failure
        reader.AdvanceTo(result.Buffer.End);
        Bus.Detach(_loopback);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await reader.ReadAsync())).Error);
    }

    [BusFact]
    public async Task Dropped_data_is_reported_before_the_data_that_follows()
    {
        await using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 2, Overflow = UsbRingOverflow.Drop });
        UsbPipeReader reader = ring.AsPipeReader(UsbReadBoundary.None);
        for (int i = 0; i < 20; i++)
            Send(0, 100);
        while (ring.GetStatistics().Completions < 20)
            await Task.Yield();
        ReadResult first = await reader.ReadAsync();
        long read = first.Buffer.Length;
        reader.AdvanceTo(first.Buffer.End);
        Send(0, 100); // the loss is reported with the data that follows
        bool told = false;
        while (!told || read + ring.GetStatistics().Dropped.Bytes < 2100)
        {
            try
            {
                ReadResult result = await reader.ReadAsync();
                read += result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
            }
            catch (UsbException lost)
            {
                Assert.Equal(UsbError.DataLost, lost.Error);
                told = true;
            }
        }

        Assert.Equal(2100, read + ring.GetStatistics().Dropped.Bytes);
    }

    private UsbInputRing Started(UsbRingOptions options)
    {
        UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, options);
        ring.Start();
        return ring;
    }

    private void Send(long start, int length) => _handle.At(BulkLoopback.OutAddress).Write(Pattern(start, length), Patience);
}
