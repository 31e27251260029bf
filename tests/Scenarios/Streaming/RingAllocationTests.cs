using System.IO.Pipelines;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests that a running ring allocates no managed memory on the event thread and on the threads that read from the ring or write to it. These tests run for a
/// few seconds and detect a regression early. bench/streaming.sh measures a whole process over millions of transfers.
/// </summary>
public sealed class RingAllocationTests : RingTest
{
    private static readonly int s_stretch = Rounds.Of(3000);

    private readonly BulkSourceSink _device = new();
    private readonly UsbDeviceHandle _handle;

    public RingAllocationTests() => _handle = Open(_device);

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_is_called_without_allocating(bool isStatic)
    {
        await using UsbInputRing ring = Ring();
        var meter = new Meter();
        ring.State = meter;
        if (isStatic)
            ring.Start<Handler>();
        else
            ring.Start(meter.Add);
        await meter.Done.WaitAsync(Patience);
        await ring.StopAsync();
        Assert.Equal(0, meter.Allocated);
        Assert.Equal(0, meter.Mismatches);
    }

    [BusTheory]
    [InlineData("read")]
    [InlineData("stream")]
    [InlineData("pipe")]
    public void A_thread_reads_without_allocating(string way)
    {
        using UsbInputRing ring = Ring();
        _device.Endpoint(BulkSourceSink.InAddress).Hold();
        ring.Start();
        Assert.False(ring.TryTake(out _, TimeSpan.FromMilliseconds(5))); // the first wait of a thread allocates objects that later waits reuse
        _device.Endpoint(BulkSourceSink.InAddress).Resume();
        var meter = new Meter();
        using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None);
        PipeReader pipe = ring.AsPipeReader(UsbReadBoundary.None);
        byte[] bytes = new byte[512];
        while (!meter.Done.IsCompleted)
        {
            switch (way)
            {
                case "read":
                    Assert.True(ring.TryTake(out UsbInputBuffer buffer, Patience));
                    meter.Add(buffer);
                    buffer.Dispose();
                    break;
                case "stream":
                    meter.Add(bytes.AsSpan(0, stream.Read(bytes)));
                    break;
                default:
                    if (!pipe.TryRead(out ReadResult result))
                    {
                        Thread.Yield();
                        break;
                    }

                    foreach (ReadOnlyMemory<byte> piece in result.Buffer)
                        meter.Add(piece.Span);
                    pipe.AdvanceTo(result.Buffer.End);
                    break;
            }
        }

        Assert.Equal(0, meter.Allocated);
        Assert.Equal(0, meter.Mismatches);
    }

    [BusFact]
    public void A_thread_writes_without_allocating()
    {
        using UsbOutputRing ring = _handle.At(Endpoint(_handle, BulkSourceSink.OutAddress).Address).CreateOutputRing(new UsbRingOptions { TransferSize = 512, Transfers = 8 });
        ring.Start();
        using UsbOutputStream stream = ring.AsStream(UsbWriteBoundary.ShortPacket);
        byte[] bytes = new byte[700];
        long allocated = AllocationMeter.Measure(() =>
        {
            for (int i = 0; i < s_stretch; i++)
            {
                stream.Write(bytes);
                stream.EndMessage();
            }
        });
        Assert.Equal(0, allocated);
        stream.Flush();
        Assert.Equal(AllocationMeter.Stretches * s_stretch * 700L, _device.TakenBytes);
    }

    private UsbInputRing Ring() => InputRing(_handle, BulkSourceSink.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 8 });

    /// <summary>Counts the bytes that the calling thread allocates in each stretch, and checks the data of each buffer. A stretch consists of
    /// <see cref="s_stretch"/> buffers.</summary>
    private sealed class Meter
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly AllocationMeter _allocations = new();
        private int _buffers;

        public Task Done => _done.Task;

        /// <summary>Gets the smallest number of bytes that were allocated in a stretch.</summary>
        public long Allocated => _allocations.Least;

        public long Mismatches { get; private set; }

        public void Add(UsbInputBuffer buffer) => Add(buffer.Data);

        public void Add(ReadOnlySpan<byte> data)
        {
            Mismatches += NumberedPattern.CountMismatches(data, (ulong)_buffers);
            _buffers++;
            if (_buffers == 1)
                _allocations.Resume();
            if (_buffers % s_stretch != 0 || _done.Task.IsCompleted)
                return;
            _allocations.Pause();
            _allocations.EndStretch();
            if (_allocations.Ended == AllocationMeter.Stretches)
                _done.SetResult();
            _allocations.Resume();
        }
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => ((Meter)buffer.Ring.State!).Add(buffer);
    }
}
