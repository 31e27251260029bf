using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that a program reads as a <see cref="Stream"/>: bytes, messages, and the exceptions that report lost data.</summary>
public sealed class InputStreamTests : RingTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public InputStreamTests() => _handle = Open(_loopback);

    private VirtualEndpoint Input => _loopback.Endpoint(BulkLoopback.InAddress);

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_follow_each_other_across_transfers_and_empty_packets(bool waits)
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 3, Spares = 2 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        const int total = 60_000;
        Task writing = Task.Run(() =>
        {
            for (int done = 0, i = 0; done < total; i++)
            {
                int length = Math.Min((i * 37) % 1500, total - done); // some writes are empty, and some have several packets
                _handle.At(BulkLoopback.OutAddress).Write(Pattern(done, length), Patience);
                done += length;
            }
        });
        byte[] buffer = new byte[777];
        long position = 0;
        while (position < total)
        {
            int count = waits ? stream.Read(buffer) : await stream.ReadAsync(buffer);
            Assert.NotEqual(0, count);
            CheckPattern(buffer.AsSpan(0, count), ref position);
        }

        await writing;
        Assert.False(stream.EndOfStream);
        await ring.StopAsync();
        Assert.Equal(0, waits ? stream.Read(buffer) : await stream.ReadAsync(buffer));
        Assert.True(stream.EndOfStream);
        Assert.Equal(0, await stream.ReadAsync(buffer)); // the end is reported again
    }

    [BusFact]
    public async Task A_short_or_empty_packet_ends_a_message_and_is_reported_once()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 3 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.ShortPacket);
        Send(3000); // the last packet is short
        Send(2048); // the empty packet of the next line ends this message
        Send(0);
        Send(0); // an empty message
        Send(5);
        foreach (int length in (int[])[3000, 2048, 0, 5])
        {
            using var message = new MemoryStream();
            await stream.CopyToAsync(message); // one message
            Assert.Equal(Pattern(0, length), message.ToArray());
            Assert.False(stream.EndOfStream);
        }

        Send(700);
        Send(600);
        byte[] buffer = new byte[600];
        Assert.Equal(600, await stream.ReadAtLeastAsync(buffer, 600));
        Assert.Equal(100, await stream.ReadAsync(buffer));
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty)); // an empty read takes nothing
        Assert.Equal(0, await stream.ReadAsync(buffer));
        Assert.Equal(600, await stream.ReadAtLeastAsync(buffer, 600));
        Assert.Equal(0, stream.Read(buffer));
    }

    [BusFact]
    public async Task An_empty_read_waits_and_takes_nothing()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        ValueTask<int> looking = stream.ReadAsync(Memory<byte>.Empty);
        Assert.False(looking.IsCompleted);
        Send(10);
        Assert.Equal(0, await looking);
        Assert.Equal(PatternByte(0), stream.ReadByte());
        byte[] rest = new byte[9];
        await stream.ReadExactlyAsync(rest);
        Assert.Equal(Pattern(1, 9), rest);
    }

    [BusFact]
    public async Task Waiting_ends_by_token_timeout_and_disposal_and_loses_nothing()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512 });
        UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        byte[] buffer = new byte[100];
        using (var cancellation = new CancellationTokenSource())
        {
            ValueTask<int> reading = stream.ReadAsync(buffer, cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        }

        Assert.True(stream.CanTimeout);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = 0);
        stream.ReadTimeout = 5;
        Assert.Equal(UsbError.Timeout, Assert.Throws<UsbException>(() => stream.Read(buffer)).Error);
        Send(60);
        stream.ReadTimeout = (int)Patience.TotalMilliseconds;
        Assert.Equal(60, stream.Read(buffer));
        ValueTask<int> last = stream.ReadAsync(buffer);
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await last);
        Assert.False(stream.CanRead);
        Assert.True(ring.IsRunning); // disposing the stream does not stop the ring
    }

    [BusFact]
    public async Task A_failure_is_thrown_in_its_place_and_received_data_is_read()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 1024, Transfers = 1, Spares = 8 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        Assert.True(Input.WaitForPending(1, Patience));
        Input.FailNext(UrbStatus.Protocol, 512); // hits the transfer after the one in flight
        Send(100);
        Send(600);
        while (ring.GetStatistics().Transfers.Error < 1)
            await Task.Yield();
        Send(100);
        byte[] buffer = new byte[2000];
        Assert.Equal(100 + 512, stream.ReadAtLeast(buffer, 612)); // the good data, and the packet that arrived in the failed transfer
        UsbException lost = await Assert.ThrowsAsync<UsbException>(() => stream.ReadAsync(buffer).AsTask());
        Assert.Equal(UsbError.IO, lost.Error);
        Assert.Contains("next read continues", lost.Message, StringComparison.Ordinal);
        Assert.Equal(100, stream.Read(buffer));
    }

    [BusTheory]
    [InlineData(UsbReadLoss.Throw)]
    [InlineData(UsbReadLoss.Skip)]
    public async Task Dropped_data_is_reported_in_its_place(UsbReadLoss loss)
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 2, Overflow = UsbRingOverflow.Drop });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None, loss);
        for (int i = 0; i < 20; i++)
            Send(100);
        while (ring.GetStatistics().Completions < 20)
            await Task.Yield();
        byte[] buffer = new byte[4000];
        int before = stream.Read(buffer);
        Assert.Equal(0, before % 100);
        Assert.InRange(before, 100, 1900);
        Send(100);
        if (loss == UsbReadLoss.Throw)
            Assert.Equal(UsbError.DataLost, Assert.Throws<UsbException>(() => stream.Read(buffer)).Error);
        int after = 0;
        while (before + after + ring.GetStatistics().Dropped.Bytes < 2100)
            after += stream.Read(buffer);
        Assert.Equal(2100, before + after + ring.GetStatistics().Dropped.Bytes);
        Assert.True(ring.GetStatistics().Dropped.Transfers > 0);
    }

    [BusFact]
    public async Task A_stream_throws_the_failure_of_its_ring_after_all_received_data()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512, Transfers = 2 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.ShortPacket);
        Send(100);
        while (ring.GetStatistics().Completions < 1)
            await Task.Yield();
        Bus.Detach(_loopback);
        await ring.Completion.WaitAsync(Patience);
        byte[] buffer = new byte[1000];
        Assert.Equal(100, stream.Read(buffer));
        Assert.Equal(0, stream.Read(buffer)); // the message was complete
        Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(() => stream.Read(buffer)).Error);
        await ring.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => stream.Read(buffer)); // throws instead of reporting a regular end
    }

    [BusFact]
    public async Task Isochronous_packets_are_put_together()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(2);
        source.Source.FaultAt(3, new IsoFault(UrbStatus.Protocol));
        source.Source.FaultAt(5, new IsoFault(UrbStatus.Success, 100));
        source.Source.FaultAt(6, new IsoFault(UrbStatus.Success, 0));
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress,
            new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 2, Spares = 2, Overflow = UsbRingOverflow.Wait }, 2);
        Assert.Throws<InvalidOperationException>(() => ring.AsStream(UsbReadBoundary.None)); // not started
        ring.Start();
        Assert.Throws<ArgumentException>(() => ring.AsStream(UsbReadBoundary.ShortPacket));
        await using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        byte[] first = new byte[(5 * 1024) + 100];
        await stream.ReadExactlyAsync(first);
        int at = 0;
        foreach (int number in (int[])[0, 1, 2, 4, 5, 7])
        {
            int length = number == 5 ? 100 : 1024;
            Assert.Equal(0, NumberedPattern.CountMismatches(first.AsSpan(at, length), (ulong)number));
            at += length;
        }

        Assert.Equal(UsbError.IO, (await Assert.ThrowsAsync<UsbException>(() => stream.ReadAsync(first).AsTask())).Error);
        await stream.ReadExactlyAsync(first.AsMemory(0, 1024));
        Assert.Equal(0, NumberedPattern.CountMismatches(first.AsSpan(0, 1024), 8));
    }

    [BusFact]
    public async Task Rings_that_cannot_be_read_and_unsupported_calls_are_refused()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress);
        ring.Start(_ => { });
        Assert.Throws<InvalidOperationException>(() => ring.AsStream(UsbReadBoundary.None));
        Assert.Throws<InvalidOperationException>(() => ring.AsPipeReader(UsbReadBoundary.None));
        await ring.StopAsync();
        ring.Start();
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        Assert.False(stream.CanSeek || stream.CanWrite);
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Write([1], 0, 1));
        Assert.Throws<ArgumentNullException>(() => stream.Read(null!, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Read(new byte[3], 2, 2));
        await ring.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => ring.AsStream(UsbReadBoundary.None));
    }

    [BusFact]
    public async Task A_read_in_a_callback_throws_instead_of_waiting()
    {
        using UsbInputRing ring = Started(new UsbRingOptions { TransferSize = 512 });
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        using UsbTransfer transfer = _handle.CreateTransfer();
        var told = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        transfer.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18, _ => told.SetResult(Record.Exception(() => stream.ReadByte())));
        transfer.Submit();
        Assert.IsType<InvalidOperationException>(await told.Task.WaitAsync(Patience));
    }

    private UsbInputRing Started(UsbRingOptions options)
    {
        UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, options);
        ring.Start();
        return ring;
    }

    private void Send(int length) => _handle.At(BulkLoopback.OutAddress).Write(Pattern(0, length), Patience);
}
