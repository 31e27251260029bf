using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Bus;
using Native.LibUsb.Tests.Facade;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// A ring that reads, driven at random beside a model of it: transfers end in any order and any way, buffers are read and given back, the ring is
/// started, stopped, disposed, and the device unplugged. After each step both must tell the same.
/// </summary>
public sealed class InputRingPropertyTests : BusTest
{
    private const int Size = 512;

    private static readonly (UrbStatus Urb, UsbTransferStatus Transfer)[] s_ends =
    [
        (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Success, UsbTransferStatus.Completed),
        (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Protocol, UsbTransferStatus.Error), (UrbStatus.Overflow, UsbTransferStatus.Overflow),
        (UrbStatus.Stall, UsbTransferStatus.Stall),
    ];

    private readonly List<(UsbInputBuffer Buffer, InputRingModel.Entry Entry)> _lent = [];
    private RandomSteps _random = null!;
    private BulkLoopback _device = null!;
    private VirtualEndpoint _input = null!;
    private UsbDeviceHandle _handle = null!;
    private UsbInputRing _ring = null!;
    private InputRingModel _model = null!;
    private bool _clearsHalts;
    private long _position;

    [BusFact]
    public void It_does_what_its_model_does()
    {
        _random = new RandomSteps(nameof(InputRingPropertyTests), Rounds.Of(100_000));
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
            case < 10:
                DisposeRing();
                break;
            case < 30:
                Stop();
                break;
            case < 430:
                Complete();
                break;
            case < 730:
                Read();
                break;
            case < 930:
                Return();
                break;
            default:
                Start();
                break;
        }
    }

    private void Complete()
    {
        if (_model.Armed == 0)
            return;
        int index = _random.Below(_model.Armed);
        (UrbStatus end, UsbTransferStatus status) = s_ends[_random.Below(s_ends.Length)];
        int length = _random.Below(4) switch { 0 => 0, 1 => Size, _ => _random.Below(Size) };
        _random.Does($"complete {index}, {status}, {length} bytes");
        InputRingModel.Entry entry = _model.ArmedAt(index);
        Put(_input.Pending[index], entry, length);
        _input.Pending[index].Complete(length, end);
        _model.Complete(entry, status, length);
        long recoveries = _model.Recoveries;
        Await(() => _ring.GetStatistics() is var now && now.Completions == _model.Completions && now.Recoveries == recoveries && now.Armed == _model.Armed);
        if (status == UsbTransferStatus.Stall && !_clearsHalts)
        {
            Await(() => _ring.Completion.IsCompleted);
            _handle.ClearHalt(BulkLoopback.InAddress);
        }
        else if (!_model.Running)
        {
            Await(() => _ring.Completion.IsCompleted);
        }
    }

    private void Read()
    {
        _random.Does("read");
        InputRingModel.Entry? expected = _model.Read();
        bool any = _ring.TryRead(out UsbInputBuffer buffer);
        _random.Same(expected is not null, any, "whether there is a buffer");
        if (expected is null)
            return;
        _random.Same(expected.Sequence, buffer.Sequence, "sequence");
        _random.Same(expected.Status!.Value, buffer.Status, "status");
        _random.Same(expected.LostBefore, buffer.LostBefore, "lost before it");
        _random.Same(expected.Status == UsbTransferStatus.Completed && expected.Length < Size, buffer.EndsWithShortPacket, "short packet");
        Check(buffer, expected);
        _lent.Add((buffer, expected));
    }

    private void Return()
    {
        if (_lent.Count == 0)
            return;
        int index = _random.Below(_lent.Count);
        (UsbInputBuffer buffer, InputRingModel.Entry entry) = _lent[index];
        _random.Does($"return {entry.Sequence}");
        Check(buffer, entry); // nobody wrote to it meanwhile
        _lent.RemoveAt(index);
        _model.Return();
        buffer.Dispose();
        if (_random.OneIn(4))
            buffer.Dispose(); // once more does nothing
    }

    private void Start()
    {
        if (_model.Running)
        {
            if (_random.OneIn(10))
                Assert.Throws<InvalidOperationException>(() => _ring.Start());
            return;
        }

        _random.Does("start");
        _model.Start();
        _ring.Start();
    }

    private void Stop()
    {
        _random.Does("stop");
        if (_model.Armed > 0 && _random.OneIn(2))
        {
            // Some of it had arrived.
            int index = _random.Below(_model.Armed), length = _random.Below(Size);
            InputRingModel.Entry entry = _model.ArmedAt(index);
            Put(_input.Pending[index], entry, length);
            _input.Pending[index].ActualLength = length;
            entry.Length = length;
        }

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
        _random.Same(0, _ring.GetStatistics().Armed, "in flight after it was disposed");
        foreach ((UsbInputBuffer buffer, InputRingModel.Entry entry) in _lent)
            Check(buffer, entry); // still the program's
        Assert.Throws<ObjectDisposedException>(() => _ring.Start());
        foreach ((UsbInputBuffer buffer, _) in _lent)
            buffer.Dispose();
        _lent.Clear();
        Make();
    }

    private void Unplug()
    {
        _random.Does("unplug");
        bool ran = _model.Running;
        Bus.Detach(_device);
        if (ran && _model.Armed > 0)
        {
            Await(() => _ring.Completion.IsCompleted);
            _random.Same(UsbError.NoDevice, _ring.Failure?.Error, "failure");
        }

        long failed = _ring.GetStatistics().Transfers.NoDevice + _ring.GetStatistics().Transfers.Cancelled;
        _random.Same(_model.Armed, (int)(failed - _model.Statuses.GetValueOrDefault(UsbTransferStatus.Cancelled)), "transfers that the plug ended");
        _model.Stop(UsbError.NoDevice, UsbTransferStatus.NoDevice);
        while (true) // all that had arrived is still there
        {
            InputRingModel.Entry? expected = _model.Read();
            bool any = _ring.TryRead(out UsbInputBuffer buffer);
            _random.Same(expected is not null, any, "whether there is a buffer after the plug was pulled");
            if (expected is null)
                break;
            Check(buffer, expected);
            _lent.Add((buffer, expected));
        }

        _ring.Dispose();
        Await(() => _ring.Completion.IsCompleted);
        foreach ((UsbInputBuffer buffer, InputRingModel.Entry entry) in _lent)
        {
            Check(buffer, entry);
            buffer.Dispose();
        }

        _lent.Clear();
        _handle.Dispose();
        PlugIn();
        Make();
    }

    private void PlugIn()
    {
        _device = new BulkLoopback();
        _input = _device.Endpoint(BulkLoopback.InAddress);
        _input.Hold();
        _handle = Open(_device);
    }

    private void Make()
    {
        int transfers = 1 + _random.Below(4), spares = _random.Below(4), errorLimit = 1 + _random.Below(4);
        bool drops = spares > 0 && _random.OneIn(2);
        _clearsHalts = _random.OneIn(2);
        _random.Does($"make {transfers} + {spares}, drops {drops}, clears halts {_clearsHalts}, error limit {errorLimit}");
        _model = new InputRingModel(transfers, spares, drops, _clearsHalts, errorLimit);
        _ring = _handle.CreateInputRing(RingTest.Endpoint(_handle, BulkLoopback.InAddress), new UsbRingOptions
        {
            Transfers = transfers,
            Spares = spares,
            TransferSize = Size,
            ErrorLimit = errorLimit,
            Overflow = drops ? UsbRingOverflow.Drop : UsbRingOverflow.Wait,
            Stall = _clearsHalts ? UsbRingStall.ClearHalt : UsbRingStall.Stop,
        });
    }

    private void Compare()
    {
        UsbRingStatistics real = _ring.GetStatistics();
        _random.Same(_model.Armed, real.Armed, "in flight");
        _random.Same(_model.Completions, real.Completions, "completions");
        _random.Same(_model.Bytes, real.Bytes, "bytes");
        _random.Same(_model.Dropped, real.Dropped, "dropped");
        _random.Same(_model.Recoveries, real.Recoveries, "recoveries");
        _random.Same(0, real.SubmitFailures, "refused submissions");
        _random.Same(_model.Running, _ring.IsRunning, "running");
        _random.Same(_model.Failure, _ring.Failure?.Error ?? UsbError.Success, "failure");
        foreach ((UsbTransferStatus status, long count) in (ReadOnlySpan<(UsbTransferStatus, long)>)[
            (UsbTransferStatus.Completed, real.Transfers.Completed), (UsbTransferStatus.Error, real.Transfers.Error),
            (UsbTransferStatus.Cancelled, real.Transfers.Cancelled), (UsbTransferStatus.Stall, real.Transfers.Stall),
            (UsbTransferStatus.Overflow, real.Transfers.Overflow)])
        {
            _random.Same(_model.Statuses.GetValueOrDefault(status), count, status.ToString());
        }

        if (!_input.WaitForPending(_model.Armed, Patience) || _input.Pending.Count != _model.Armed)
            _random.Fail($"the device has {_input.Pending.Count} transfers, not {_model.Armed}");
    }

    private void Put(VirtualUrb urb, InputRingModel.Entry entry, int length)
    {
        entry.Start = _position;
        for (int i = 0; i < length; i++)
            urb.Buffer[i] = RingTest.PatternByte(_position + i);
        _position += length;
    }

    private void Check(UsbInputBuffer buffer, InputRingModel.Entry entry)
    {
        _random.Same(entry.Length, buffer.Length, "length");
        ReadOnlySpan<byte> data = buffer.Data;
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] != RingTest.PatternByte(entry.Start + i))
                _random.Fail($"byte {i} of buffer {entry.Sequence} is wrong");
        }
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
