using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>
/// Measures each way to consume the data of a ring. The results are the times per bulk transfer or per isochronous packet. The ring has sixteen transfers and
/// an event thread, and the endpoint completes each transfer immediately. In a run, every consumer receives the same number of buffers. The event thread passes
/// the buffers to the handler or the delegate, and continues to do so between two runs. Every other consumer takes the buffers from the ring. When all buffers are
/// in use, the ring waits until the consumer returns a buffer.
/// </summary>
public abstract class RingConsumers
{
    private const int Slots = 16;

    private readonly Seen _seen = new();
    private OpenDevice _device = null!;
    private UsbEventThread _events = null!;
    private UsbInputRing _ring = null!;
    private IAsyncEnumerator<UsbInputBuffer> _all = null!;
    private UsbInputStream _stream = null!;
    private PipeReader _pipe = null!;
    private byte[] _buffer = null!;

    private protected abstract OpenDevice Open();

    private protected abstract UsbRingOptions Options { get; }

    /// <summary>Gets the number of transfers of one run.</summary>
    protected abstract int Buffers { get; }

    public void SetUpHandler()
    {
        SetUp();
        _ring.Start<Handler>();
    }

    public void SetUpDelegate()
    {
        SetUp();
        Seen seen = _seen;
        _ring.Start(buffer => seen.Add(buffer));
    }

    public void SetUpReading()
    {
        SetUp();
        _ring.Start();
        _all = _ring.ReadAllAsync().GetAsyncEnumerator();
    }

    public void SetUpStream()
    {
        SetUp();
        _ring.Start();
        _stream = _ring.AsStream(UsbReadBoundary.None, UsbReadLoss.Throw);
        _buffer = new byte[_ring.TransferSize];
    }

    public void SetUpPipe()
    {
        SetUp();
        _ring.Start();
        _pipe = _ring.AsPipeReader(UsbReadBoundary.None, UsbReadLoss.Throw);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _ring.Dispose();
        _events.Dispose();
        _device.Dispose();
    }

    protected void WaitForCallbacks() => _seen.WaitForMore(Buffers);

    protected async Task ReadBuffersAsync()
    {
        for (int i = 0; i < Buffers; i++)
        {
            using UsbInputBuffer buffer = await _ring.ReadAsync().ConfigureAwait(false);
            _seen.Add(buffer);
        }
    }

    protected async Task ReadAllBuffersAsync()
    {
        for (int i = 0; i < Buffers; i++)
        {
            if (!await _all.MoveNextAsync().ConfigureAwait(false))
                throw new InvalidOperationException("The ring stopped.");
            _seen.Add(_all.Current);
        }
    }

    protected async Task ReadStreamAsync()
    {
        for (long left = (long)Buffers * _ring.TransferSize; left > 0;)
        {
            int count = await _stream.ReadAsync(_buffer).ConfigureAwait(false);
            if (count == 0)
                throw new InvalidOperationException("The ring stopped.");
            left -= count;
        }
    }

    protected async Task ReadPipeAsync()
    {
        for (long left = (long)Buffers * _ring.TransferSize; left > 0;)
        {
            ReadResult result = await _pipe.ReadAsync().ConfigureAwait(false);
            if (result.IsCompleted)
                throw new InvalidOperationException("The ring stopped.");
            left -= result.Buffer.Length;
            _pipe.AdvanceTo(result.Buffer.End);
        }
    }

    private void SetUp()
    {
        PoolThreads.Fix();
        _device = Open();
        _events = _device.Context.StartEventThread();
        _ring = _device.Endpoint.CreateInputRing(Options with { Transfers = Slots, Overflow = UsbRingOverflow.Wait });
        _ring.State = _seen;
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => ((Seen)buffer.Ring.State!).Add(buffer);
    }

    /// <summary>Reads and counts the data that arrives. A thread can wait until more data has arrived.</summary>
    private sealed class Seen
    {
        private readonly AutoResetEvent _reached = new(false);
        private long _buffers, _good, _awaited = long.MaxValue;

        public void Add(UsbInputBuffer buffer)
        {
            long good = _good;
            if (buffer.PacketCount == 0)
                good += buffer.Status == UsbTransferStatus.Completed ? 1 : 0;
            foreach (UsbRingPacket packet in buffer.Packets)
                good += packet.Status == UsbTransferStatus.Completed ? 1 : 0;
            _good = good;
            Volatile.Write(ref _buffers, _buffers + 1);
            Interlocked.MemoryBarrier(); // the waiting thread writes the awaited number first, and then reads the count
            if (_buffers >= Volatile.Read(ref _awaited))
            {
                Volatile.Write(ref _awaited, long.MaxValue);
                _reached.Set();
            }
        }

        public void WaitForMore(long buffers)
        {
            long end = Volatile.Read(ref _buffers) + buffers;
            Volatile.Write(ref _awaited, end);
            Interlocked.MemoryBarrier();
            while (Volatile.Read(ref _buffers) < end)
                _reached.WaitOne();
        }
    }
}

/// <summary>Measures bulk transfers of 512 bytes; the numbers are per transfer.</summary>
[BenchmarkCategory(Categories.NoAllocation)]
public class BulkRingConsumers : RingConsumers
{
    private const int Transfers = 4096;

    protected override int Buffers => Transfers;

    private protected override UsbRingOptions Options => new() { TransferSize = 512 };

    [GlobalSetup(Target = nameof(Handler))]
    public void ForHandler() => SetUpHandler();

    [GlobalSetup(Target = nameof(Delegate))]
    public void ForDelegate() => SetUpDelegate();

    [GlobalSetup(Targets = [nameof(ReadAsync), nameof(ReadAllAsync)])]
    public void ForReading() => SetUpReading();

    [GlobalSetup(Target = nameof(Stream))]
    public void ForStream() => SetUpStream();

    [GlobalSetup(Target = nameof(Pipe))]
    public void ForPipe() => SetUpPipe();

    [Benchmark(Baseline = true, OperationsPerInvoke = Transfers, Description = "Start<T>()")]
    [BenchmarkCategory(Categories.Short)]
    public void Handler() => WaitForCallbacks();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "Start(delegate)")]
    public void Delegate() => WaitForCallbacks();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "ReadAsync")]
    [BenchmarkCategory(Categories.Short)]
    public Task ReadAsync() => ReadBuffersAsync();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "ReadAllAsync")]
    public Task ReadAllAsync() => ReadAllBuffersAsync();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "AsStream")]
    public Task Stream() => ReadStreamAsync();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "AsPipeReader")]
    public Task Pipe() => ReadPipeAsync();

    private protected override OpenDevice Open() => OpenDevice.Bulk();
}

/// <summary>Measures isochronous transfers of 32 packets; the numbers are per packet.</summary>
[BenchmarkCategory(Categories.NoAllocation)]
public class IsochronousRingConsumers : RingConsumers
{
    private const int PacketsPerTransfer = 32, Packets = 1024 * PacketsPerTransfer;

    protected override int Buffers => Packets / PacketsPerTransfer;

    private protected override UsbRingOptions Options => new() { PacketsPerTransfer = PacketsPerTransfer };

    [GlobalSetup(Target = nameof(Handler))]
    public void ForHandler() => SetUpHandler();

    [GlobalSetup(Target = nameof(Delegate))]
    public void ForDelegate() => SetUpDelegate();

    [GlobalSetup(Targets = [nameof(ReadAsync), nameof(ReadAllAsync)])]
    public void ForReading() => SetUpReading();

    [GlobalSetup(Target = nameof(Stream))]
    public void ForStream() => SetUpStream();

    [GlobalSetup(Target = nameof(Pipe))]
    public void ForPipe() => SetUpPipe();

    [Benchmark(Baseline = true, OperationsPerInvoke = Packets, Description = "Start<T>()")]
    [BenchmarkCategory(Categories.Short)]
    public void Handler() => WaitForCallbacks();

    [Benchmark(OperationsPerInvoke = Packets, Description = "Start(delegate)")]
    public void Delegate() => WaitForCallbacks();

    [Benchmark(OperationsPerInvoke = Packets, Description = "ReadAsync")]
    public Task ReadAsync() => ReadBuffersAsync();

    [Benchmark(OperationsPerInvoke = Packets, Description = "ReadAllAsync")]
    public Task ReadAllAsync() => ReadAllBuffersAsync();

    [Benchmark(OperationsPerInvoke = Packets, Description = "AsStream")]
    public Task Stream() => ReadStreamAsync();

    [Benchmark(OperationsPerInvoke = Packets, Description = "AsPipeReader")]
    public Task Pipe() => ReadPipeAsync();

    private protected override OpenDevice Open() => OpenDevice.Isochronous();
}
