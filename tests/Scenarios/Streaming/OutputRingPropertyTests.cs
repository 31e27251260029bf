using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests that an output ring agrees with its model after each random step. The test acquires and fills buffers, and commits them or returns them without data.
/// The test also starts, stops and disposes the ring, and unplugs the device. The device accepts all, part or none of a transfer's data. The device must
/// receive each byte once and in order.
/// </summary>
public sealed class OutputRingPropertyTests : RingPropertyTest
{
    private readonly List<UsbOutputBuffer> _lent = [];
    private UsbOutputRing _ring = null!;
    private OutputRingModel _model = null!;
    private bool _clearsHalts;
    private long _written, _arrived;

    public OutputRingPropertyTests()
        : base(BulkLoopback.OutAddress) => Make();

    protected override UsbRing Ring => _ring;

    [BusFact]
    public void A_ring_agrees_with_its_model() => Run(() =>
    {
        Step();
        Compare();
    });

    private void Step()
    {
        switch (Steps.Below(1000))
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
        Steps.Does("acquire");
        bool any = _ring.TryAcquire(out UsbOutputBuffer buffer);
        Steps.Same(_model.Acquire(), any, "availability of a buffer");
        if (any)
            _lent.Add(buffer);
    }

    private void Commit()
    {
        if (_lent.Count == 0)
            return;
        int index = Steps.Below(_lent.Count);
        UsbOutputBuffer buffer = _lent[index];
        _lent.RemoveAt(index);
        if (Steps.OneIn(8))
        {
            Steps.Does("give back");
            _model.Return(null);
            buffer.Dispose();
        }
        else
        {
            int length = Steps.Below(4) switch { 0 => 0, 1 => Size, _ => Steps.Below(Size) };
            bool ends = Steps.OneIn(3);
            Steps.Does($"commit {length} bytes, ends a message {ends}");
            for (int i = 0; i < length; i++)
                buffer.Span[i] = RingTest.PatternByte(_written + i);
            _written += length;
            _model.Return(new OutputRingModel.Entry(length, ends));
            buffer.Commit(length, ends);
        }

        if (Steps.OneIn(4))
            Assert.Throws<ObjectDisposedException>(() => buffer.Commit(0));
    }

    // This method completes the transfers in the order of their submission, as an endpoint on a real bus does.
    private void Complete()
    {
        if (_model.InFlight == 0)
            return;
        OutputRingModel.Entry entry = _model.First;
        VirtualUrb urb = Endpoint.Pending[0];
        int left = entry.Length - entry.Sent;
        Steps.Same(left, urb.Length, "length of the sent data");
        Steps.Same(entry.EndsMessage, urb.ZeroPacket, "end of a message");
        UsbTransferStatus status = Steps.Below(6) switch { 0 => UsbTransferStatus.Error, 1 => UsbTransferStatus.Stall, _ => UsbTransferStatus.Completed };
        int length = status == UsbTransferStatus.Completed ? left : Steps.Below(left + 1);
        Steps.Does($"complete, {status}, {length} of {left} bytes");
        for (int i = 0; i < length; i++, _arrived++)
        {
            if (urb.Buffer[i] != RingTest.PatternByte(_arrived))
                Steps.Fail($"the device got a wrong byte {_arrived}");
        }

        urb.Complete(length, status == UsbTransferStatus.Completed ? UrbStatus.Success : status == UsbTransferStatus.Stall ? UrbStatus.Stall : UrbStatus.Protocol);
        _model.CompleteFirst(length, status);
        Await(() => _ring.GetStatistics() is var now && now.Completions == _model.Completions && now.Recoveries == _model.Recoveries && now.InFlight == _model.InFlight
            && _ring.UnsentBytes == _model.Unsent); // the ring counts a completion before it takes the transfer back
        if (_model.Running)
            return;
        Await(() => _ring.Completion.IsCompleted);
        if (status == UsbTransferStatus.Stall)
            Handle.At(BulkLoopback.OutAddress).ClearHalt();
    }

    private void Start()
    {
        if (_model.Running)
            return;
        Steps.Does("start");
        _model.Start();
        _ring.Start();
    }

    private void Stop()
    {
        Steps.Does("stop");
        if (_model.Running)
            _model.Stop();
        Task stopping = _ring.StopAsync();
        Await(() => stopping.IsCompleted);
    }

    private void DisposeRing()
    {
        Steps.Does("dispose");
        Dispose(_ring);
        End();
        Make();
    }

    private void Unplug()
    {
        Steps.Does("unplug");
        bool ran = _model.Running && _model.InFlight > 0;
        Bus.Detach(Device);
        if (ran)
        {
            Await(() => _ring.Completion.IsCompleted);
            Steps.Same(UsbError.NoDevice, _ring.Failure?.Error, "failure");
        }

        Steps.Same(_model.Unsent, _ring.UnsentBytes, "unsent bytes after unplugging");
        Dispose(_ring);
        End();
        Handle.Dispose();
        PlugIn();
        Make();
    }

    private void End()
    {
        foreach (UsbOutputBuffer buffer in _lent)
        {
            buffer.Span.Clear(); // the buffer still belongs to the program
            buffer.Dispose();
        }

        _lent.Clear();
        _written = _arrived = 0; // a disposed ring does not promise to send its data
    }

    private void Make()
    {
        int transfers = 1 + Steps.Below(4), spares = Steps.Below(4);
        _clearsHalts = Steps.OneIn(2);
        Steps.Does($"make {transfers} + {spares}, clears halts {_clearsHalts}");
        _model = new OutputRingModel(transfers, spares, _clearsHalts);
        _ring = Handle.At(Descriptor().Address).CreateOutputRing(new UsbRingOptions
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
        Steps.Same(_model.InFlight, real.InFlight, "in flight");
        Steps.Same(_model.Completions, real.Completions, "completions");
        Steps.Same(_model.Bytes, real.Bytes, "bytes");
        Steps.Same(_model.Unsent, _ring.UnsentBytes, "unsent bytes");
        Steps.Same(_model.Recoveries, real.Recoveries, "recoveries");
        Steps.Same(0, real.SubmitFailures, "refused submissions");
        Steps.Same(_model.Running, _ring.IsRunning, "running");
        Steps.Same(_model.Failure, _ring.Failure?.Error ?? UsbError.Success, "failure");
        AwaitPending(_model.InFlight);
    }
}
