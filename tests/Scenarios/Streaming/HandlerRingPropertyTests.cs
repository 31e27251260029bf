using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests that a ring with a handler agrees with its model after each random step. Transfers end in order or out of order, with success or with an error.
/// Handlers throw exceptions, stop the ring, and switch between the fast path and the path with the ring's lock.
/// </summary>
public sealed class HandlerRingPropertyTests : RingPropertyTest
{
    private enum Act
    {
        Nothing,
        Throw,
        Interrupt,
        Forbid,
        Allow,
        Stop,
    }

    private readonly List<(long Sequence, UsbTransferStatus Status, int Length, bool IsRight)> _delivered = [];
    private readonly Dictionary<long, (long Start, int Length)> _sent = [];
    private UsbInputRing _ring = null!;
    private InputRingModel _model = null!;
    private Act _act;
    private Task? _stopped;
    private bool _clearsHalts;
    private bool _running; // handlers may run only while this is true
    private long _thrown;
    private long _reported;
    private long _position;
    private long _fast;
    private long _locked;
    private long _transitions;
    private bool _wasFast;
    private int _handled;

    public HandlerRingPropertyTests()
        : base(BulkLoopback.InAddress)
    {
        Context.UnhandledCallbackException += (_, _) => Interlocked.Increment(ref _reported);
        Make();
    }

    protected override UsbRing Ring => _ring;

    [BusFact]
    public void A_ring_agrees_with_its_model_on_the_fast_path_and_on_the_locked_path()
    {
        Run(() =>
        {
            Step();
            Compare();
        });
        Console.Error.WriteLine($"{_fast} buffers on the fast path, {_locked} under the lock, {_transitions} changes between them");
        Assert.True(_fast > Steps.Steps / 20, $"Only {_fast} buffers were delivered on the fast path.");
        Assert.True(_locked > Steps.Steps / 20, $"Only {_locked} buffers were delivered under the lock.");
        Assert.True(_transitions > Steps.Steps / 50, $"The ring changed between the paths only {_transitions} times.");
    }

    private void Step()
    {
        switch (Steps.Below(1000))
        {
            case < 3:
                DisposeRing();
                break;
            case < 15:
                Stop();
                break;
            case < 900:
                Complete();
                break;
            default:
                Start();
                break;
        }
    }

    private void Complete()
    {
        if (_model.InFlight == 0)
            return;
        int index = Steps.OneIn(10) ? Steps.Below(_model.InFlight) : 0;
        (UrbStatus end, UsbTransferStatus status) = Steps.Below(40) switch
        {
            0 => (UrbStatus.Protocol, UsbTransferStatus.Error),
            1 => (UrbStatus.Overflow, UsbTransferStatus.Overflow),
            2 => (UrbStatus.Stall, UsbTransferStatus.Stall),
            _ => (UrbStatus.Success, UsbTransferStatus.Completed),
        };
        int length = Steps.Below(4) switch { 0 => 0, 1 => Size, _ => Steps.Below(Size) };
        _act = Steps.Below(40) switch { 0 => Act.Throw, 1 or 2 => Act.Interrupt, 3 => Act.Forbid, 4 or 5 => Act.Allow, 6 => Act.Stop, _ => Act.Nothing };
        if (status == UsbTransferStatus.Stall && _act == Act.Stop)
            _act = Act.Nothing; // a race would decide if the ring clears the halt before it stops
        Act act = _act;
        Steps.Does($"complete {index}, {status}, {length} bytes, {act}");
        InputRingModel.Entry entry = _model.InFlightAt(index);
        Put(Endpoint.Pending[index], entry, length);
        _delivered.Clear();
        _stopped = null;
        Endpoint.Pending[index].Complete(length, end);

        _model.Complete(entry, status, length);
        List<InputRingModel.Entry> expected = [];
        while (_model.Read() is { } next)
        {
            expected.Add(next);
            if (act == Act.Stop && _model.Running)
                _model.Stop();
            act = Act.Nothing; // only the first handler call performs the act
            _model.Return();
        }

        Await(() => _ring.GetStatistics() is var now && now.Completions == _model.Completions && now.Recoveries == _model.Recoveries && now.InFlight == _model.InFlight
            && Volatile.Read(ref _handled) == expected.Count);
        _handled = 0;
        CheckDelivered(expected);
        if (!_model.Running)
        {
            Await(() => _ring.Completion.IsCompleted && _stopped is null or { IsCompleted: true });
            Volatile.Write(ref _running, false);
            if (status == UsbTransferStatus.Stall && !_clearsHalts)
                Handle.At(BulkLoopback.InAddress).ClearHalt();
        }
    }

    private void OnBuffer(UsbInputBuffer buffer)
    {
        if (!Volatile.Read(ref _running))
            Steps.Fail("a handler runs although the ring is at rest");
        bool isFast = FastPath.IsOn(_ring);
        if (isFast)
            _fast++;
        else
            _locked++;
        if (isFast != _wasFast)
            _transitions++;
        _wasFast = isFast;
        bool isRight = _sent.Remove(buffer.Sequence, out (long Start, int Length) sent) && sent.Length == buffer.Length;
        ReadOnlySpan<byte> data = buffer.Data;
        for (int i = 0; i < data.Length && isRight; i++)
            isRight = data[i] == RingTest.PatternByte(sent.Start + i);
        _delivered.Add((buffer.Sequence, buffer.Status, buffer.Length, isRight));
        Act act = _act;
        _act = Act.Nothing;
        switch (act)
        {
            case Act.Interrupt:
                FastPath.Interrupt(_ring);
                break;
            case Act.Forbid:
                FastPath.Allow(_ring, false);
                FastPath.Interrupt(_ring);
                break;
            case Act.Allow:
                FastPath.Allow(_ring, true);
                break;
            case Act.Stop:
                _stopped = _ring.StopAsync();
                break;
            case Act.Throw:
                _thrown++;
                Interlocked.Increment(ref _handled);
                throw new InvalidOperationException("thrown by the test");
        }

        Interlocked.Increment(ref _handled);
    }

    private void CheckDelivered(List<InputRingModel.Entry> expected)
    {
        Steps.Same(expected.Count, _delivered.Count, "buffers that were delivered");
        for (int i = 0; i < expected.Count; i++)
        {
            Steps.Same(expected[i].Sequence, _delivered[i].Sequence, "sequence");
            Steps.Same(expected[i].Status!.Value, _delivered[i].Status, "status");
            Steps.Same(expected[i].Length, _delivered[i].Length, "length");
            Steps.Same(true, _delivered[i].IsRight, $"correctness of the bytes of {expected[i].Sequence}");
        }
    }

    private void Start()
    {
        if (_model.Running)
        {
            if (Steps.OneIn(10))
                Assert.Throws<InvalidOperationException>(() => _ring.Start(static _ => throw new InvalidOperationException("the callback of a refused start")));
            return;
        }

        Steps.Does("start");
        _model.Start();
        Volatile.Write(ref _running, true);
        _ring.Start(OnBuffer);
    }

    private void Stop()
    {
        Steps.Does("stop");
        _delivered.Clear();
        if (_model.Running)
            _model.Stop();
        Task stopping = _ring.StopAsync();
        Await(() => stopping.IsCompleted);
        Volatile.Write(ref _running, false);
        List<InputRingModel.Entry> expected = []; // transfers that had ended behind one that was still in flight
        while (_model.Read() is { } next)
        {
            expected.Add(next);
            _model.Return();
        }

        CheckDelivered(expected);
        _handled = 0;
    }

    private void DisposeRing()
    {
        Steps.Does("dispose");
        Dispose(_ring);
        Volatile.Write(ref _running, false);
        Make();
    }

    private void Make()
    {
        int transfers = 1 + Steps.Below(4), spares = Steps.Below(4), errorLimit = 1 + Steps.Below(4);
        _clearsHalts = Steps.OneIn(2);
        Steps.Does($"make {transfers} + {spares}, clears halts {_clearsHalts}, error limit {errorLimit}");
        _model = new InputRingModel(transfers, spares, drops: false, _clearsHalts, errorLimit);
        _ring = Handle.At(Descriptor().Address).CreateInputRing(new UsbRingOptions
        {
            Transfers = transfers,
            Spares = spares,
            TransferSize = Size,
            ErrorLimit = errorLimit,
            Stall = _clearsHalts ? UsbRingStall.ClearHalt : UsbRingStall.Stop,
        });
        _sent.Clear();
        _delivered.Clear();
        _handled = 0;
        _wasFast = false;
    }

    private void Compare()
    {
        Await(() => _ring.GetStatistics().InFlight == _model.InFlight && Volatile.Read(ref _reported) == _thrown);
        UsbRingStatistics real = _ring.GetStatistics();
        Steps.Same(0, real.SubmitFailures, "refused submissions");
        Steps.Same(_model.Completions, real.Completions, "completions");
        Steps.Same(_model.Bytes, real.Bytes, "bytes");
        Steps.Same(_model.Recoveries, real.Recoveries, "recoveries");
        Steps.Same(_model.Running, _ring.IsRunning, "running");
        Steps.Same(_model.Failure, _ring.Failure?.Error ?? UsbError.Success, "failure");
        AwaitPending(_model.InFlight);
    }

    private void Put(VirtualUrb urb, InputRingModel.Entry entry, int length)
    {
        entry.Start = _position;
        _sent[entry.Sequence] = (_position, length);
        for (int i = 0; i < length; i++)
            urb.Buffer[i] = RingTest.PatternByte(_position + i);
        _position += length;
    }
}
