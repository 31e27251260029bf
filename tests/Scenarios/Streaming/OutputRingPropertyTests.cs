using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Bus;
using Native.LibUsb.Tests.Facade;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// A ring that writes, driven at random beside a model of it: buffers are taken, filled, sent or given back, the device takes all, a part or
/// nothing of a transfer, and the ring is started, stopped, disposed and the device unplugged. The device must get each byte once and in order.
/// </summary>
public sealed class OutputRingPropertyTests : BusTest
{
    private const int Size = 512;

    private readonly List<UsbOutputBuffer> _lent = [];
    private RandomSteps _random = null!;
    private BulkLoopback _device = null!;
    private VirtualEndpoint _output = null!;
    private UsbDeviceHandle _handle = null!;
    private UsbOutputRing _ring = null!;
    private OutputRingModel _model = null!;
    private bool _clearsHalts;
    private long _written, _arrived;

    [BusFact]
    public void It_does_what_its_model_does()
    {
        _random = new RandomSteps(nameof(OutputRingPropertyTests), Rounds.Of(100_000));
        PlugIn();
        Make();
        for (int i = 0; i < _random.Steps; i++)
        {
            _random.Step = i;
            Step();
            Compare();
        }

        _ring.Dispose();
        Await(() => _ring.Completion.IsCompleted);
    }

    private void Step()
    {
        switch (_random.Below(1000))
        {
            case < 1:
                Unplug();
                break;
            case < 6:
                DisposeRing();
                break;
            case < 26:
                Stop();
                break;
            case < 350:
                Acquire();
                break;
            case < 650:
                Commit();
                break;
            case < 930:
                Complete();
                break;
            default:
                Start();
                break;
        }
    }

    private void Acquire()
    {
        _random.Does("acquire");
        bool any = _ring.TryAcquire(out UsbOutputBuffer buffer);
        _random.Same(_model.Acquire(), any, "whether there is a buffer");
        if (any)
            _lent.Add(buffer);
    }

    private void Commit()
    {
        if (_lent.Count == 0)
            return;
        int index = _random.Below(_lent.Count);
        UsbOutputBuffer buffer = _lent[index];
        _lent.RemoveAt(index);
        if (_random.OneIn(8))
        {
            _random.Does("give back");
            _model.Return(null);
            buffer.Dispose();
        }
        else
        {
            int length = _random.Below(4) switch { 0 => 0, 1 => Size, _ => _random.Below(Size) };
            bool ends = _random.OneIn(3);
            _random.Does($"commit {length} bytes, ends a message {ends}");
            for (int i = 0; i < length; i++)
                buffer.Span[i] = RingTest.PatternByte(_written + i);
            _written += length;
            _model.Return(new OutputRingModel.Entry(length, ends));
            buffer.Commit(length, ends);
        }

        if (_random.OneIn(4))
            Assert.Throws<ObjectDisposedException>(() => buffer.Commit(0));
    }

    // As on a bus: an endpoint takes its transfers in turn.
    private void Complete()
    {
        if (_model.Armed == 0)
            return;
        OutputRingModel.Entry entry = _model.First;
        VirtualUrb urb = _output.Pending[0];
        int left = entry.Length - entry.Sent;
        _random.Same(left, urb.Length, "length of what is sent");
        _random.Same(entry.EndsMessage, urb.ZeroPacket, "whether it ends a message");
        UsbTransferStatus status = _random.Below(6) switch { 0 => UsbTransferStatus.Error, 1 => UsbTransferStatus.Stall, _ => UsbTransferStatus.Completed };
        int length = status == UsbTransferStatus.Completed ? left : _random.Below(left + 1);
        _random.Does($"complete, {status}, {length} of {left} bytes");
        for (int i = 0; i < length; i++, _arrived++)
        {
            if (urb.Buffer[i] != RingTest.PatternByte(_arrived))
                _random.Fail($"the device got a wrong byte {_arrived}");
        }

        urb.Complete(length, status == UsbTransferStatus.Completed ? UrbStatus.Success : status == UsbTransferStatus.Stall ? UrbStatus.Stall : UrbStatus.Protocol);
        _model.CompleteFirst(length, status);
        Await(() => _ring.GetStatistics() is var now && now.Completions == _model.Completions && now.Recoveries == _model.Recoveries && now.Armed == _model.Armed);
        if (_model.Running)
            return;
        Await(() => _ring.Completion.IsCompleted);
        if (status == UsbTransferStatus.Stall)
            _handle.ClearHalt(BulkLoopback.OutAddress);
    }

    private void Start()
    {
        if (_model.Running)
            return;
        _random.Does("start");
        _model.Start();
        _ring.Start();
    }

    private void Stop()
    {
        _random.Does("stop");
        if (_model.Running)
            _model.Stop();
        Task stopping = _ring.StopAsync();
        Await(() => stopping.IsCompleted);
    }

    private void DisposeRing()
    {
        _random.Does("dispose");
        _ring.Dispose();
        Await(() => _ring.Completion.IsCompleted);
        End();
        Make();
    }

    private void Unplug()
    {
        _random.Does("unplug");
        bool ran = _model.Running && _model.Armed > 0;
        Bus.Detach(_device);
        if (ran)
        {
            Await(() => _ring.Completion.IsCompleted);
            _random.Same(UsbError.NoDevice, _ring.Failure?.Error, "failure");
        }

        _random.Same(_model.Unsent, _ring.UnsentBytes, "unsent bytes after the plug was pulled");
        _ring.Dispose();
        Await(() => _ring.Completion.IsCompleted);
        End();
        _handle.Dispose();
        PlugIn();
        Make();
    }

    private void End()
    {
        _random.Same(0, _ring.GetStatistics().Armed, "in flight after it was disposed");
        foreach (UsbOutputBuffer buffer in _lent)
        {
            buffer.Span.Clear(); // still the program's
            buffer.Dispose();
        }

        _lent.Clear();
        _written = _arrived = 0; // what it had was never promised to arrive
    }

    private void PlugIn()
    {
        _device = new BulkLoopback();
        _output = _device.Endpoint(BulkLoopback.OutAddress);
        _output.Hold();
        _handle = Open(_device);
    }

    private void Make()
    {
        int transfers = 1 + _random.Below(4), spares = _random.Below(4);
        _clearsHalts = _random.OneIn(2);
        _random.Does($"make {transfers} + {spares}, clears halts {_clearsHalts}");
        _model = new OutputRingModel(transfers, spares, _clearsHalts);
        _ring = _handle.CreateOutputRing(RingTest.Endpoint(_handle, BulkLoopback.OutAddress), new UsbRingOptions
        {
            Transfers = transfers,
            Spares = spares,
            TransferSize = Size,
            Stall = _clearsHalts ? UsbRingStall.ClearHalt : UsbRingStall.Stop,
        });
    }

    private void Compare()
    {
        UsbRingStatistics real = _ring.GetStatistics();
        _random.Same(_model.Armed, real.Armed, "in flight");
        _random.Same(_model.Completions, real.Completions, "completions");
        _random.Same(_model.Bytes, real.Bytes, "bytes");
        _random.Same(_model.Unsent, _ring.UnsentBytes, "unsent bytes");
        _random.Same(_model.Recoveries, real.Recoveries, "recoveries");
        _random.Same(0, real.SubmitFailures, "refused submissions");
        _random.Same(_model.Running, _ring.IsRunning, "running");
        _random.Same(_model.Failure, _ring.Failure?.Error ?? UsbError.Success, "failure");
        if (!_output.WaitForPending(_model.Armed, Patience) || _output.Pending.Count != _model.Armed)
            _random.Fail($"the device has {_output.Pending.Count} transfers, not {_model.Armed}");
    }

    private void Await(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > end)
                _random.Fail($"waited in vain; the ring has {_ring.GetStatistics()}");
            Context.HandleEvents(TimeSpan.FromMilliseconds(1));
        }
    }
}
