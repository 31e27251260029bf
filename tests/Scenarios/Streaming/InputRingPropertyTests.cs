using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests that an input ring agrees with its model after each random step. The steps are: complete a transfer, read a buffer, return a buffer to the ring, start
/// the ring, stop it, dispose it, and unplug the device. Transfers end in any order and with any status.
/// </summary>
public sealed class InputRingPropertyTests : RingPropertyTest
{
    private static readonly (UrbStatus Urb, UsbTransferStatus Transfer)[] s_ends =
    [
        (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Success, UsbTransferStatus.Completed),
        (UrbStatus.Success, UsbTransferStatus.Completed), (UrbStatus.Protocol, UsbTransferStatus.Error), (UrbStatus.Overflow, UsbTransferStatus.Overflow),
        (UrbStatus.Stall, UsbTransferStatus.Stall),
    ];

    private readonly List<(UsbInputBuffer Buffer, InputRingModel.Entry Entry)> _lent = [];
    private UsbInputRing _ring = null!;
    private InputRingModel _model = null!;
    private bool _clearsHalts;
    private bool _wasStarted;
    private long _position;

    public InputRingPropertyTests()
        : base(BulkLoopback.InAddress) => Make();

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
        if (_model.InFlight == 0)
            return;
        int index = Steps.Below(_model.InFlight);
        (UrbStatus end, UsbTransferStatus status) = s_ends[Steps.Below(s_ends.Length)];
        int length = Steps.Below(4) switch { 0 => 0, 1 => Size, _ => Steps.Below(Size) };
        Steps.Does($"complete {index}, {status}, {length} bytes");
        InputRingModel.Entry entry = _model.InFlightAt(index);
        Put(Endpoint.Pending[index], entry, length);
        Endpoint.Pending[index].Complete(length, end);
        _model.Complete(entry, status, length);
        long recoveries = _model.Recoveries;
        Await(() => _ring.GetStatistics() is var now && now.Completions == _model.Completions && now.Recoveries == recoveries && now.InFlight == _model.InFlight
            && now.Dropped == _model.Dropped); // the ring counts a completion before it drops a buffer
        if (status == UsbTransferStatus.Stall && !_clearsHalts)
        {
            Await(() => _ring.Completion.IsCompleted);
            Handle.At(BulkLoopback.InAddress).ClearHalt();
        }
        else if (!_model.Running)
        {
            Await(() => _ring.Completion.IsCompleted);
        }
    }

    private void Read()
    {
        Steps.Does("read");
        if (!_wasStarted)
        {
            Assert.Throws<InvalidOperationException>(() => _ring.TryTake(out _));
            return;
        }

        InputRingModel.Entry? expected = _model.Read();
        bool any = _ring.TryTake(out UsbInputBuffer buffer);
        Steps.Same(expected is not null, any, "availability of a buffer");
        if (expected is null)
            return;
        Steps.Same(expected.Sequence, buffer.Sequence, "sequence");
        Steps.Same(expected.Status!.Value, buffer.Status, "status");
        Steps.Same(expected.LostBefore, buffer.LostBefore, "lost before it");
        Steps.Same(expected.Status == UsbTransferStatus.Completed && expected.Length < Size, buffer.EndsWithShortPacket, "short packet");
        Check(buffer, expected);
        _lent.Add((buffer, expected));
    }

    private void Return()
    {
        if (_lent.Count == 0)
            return;
        int index = Steps.Below(_lent.Count);
        (UsbInputBuffer buffer, InputRingModel.Entry entry) = _lent[index];
        Steps.Does($"return {entry.Sequence}");
        Check(buffer, entry); // the ring has not written to the buffer that the program holds
        _lent.RemoveAt(index);
        _model.Return();
        buffer.Dispose();
        if (Steps.OneIn(4))
            buffer.Dispose(); // the second call does nothing
    }

    private void Start()
    {
        if (_model.Running)
        {
            if (Steps.OneIn(10))
                Assert.Throws<InvalidOperationException>(() => _ring.Start());
            return;
        }

        Steps.Does("start");
        _model.Start();
        _ring.Start();
        _wasStarted = true;
    }

    private void Stop()
    {
        Steps.Does("stop");
        if (_model.InFlight > 0 && Steps.OneIn(2))
        {
            // Part of the data had arrived before the stop.
            int index = Steps.Below(_model.InFlight), length = Steps.Below(Size);
            InputRingModel.Entry entry = _model.InFlightAt(index);
            Put(Endpoint.Pending[index], entry, length);
            Endpoint.Pending[index].ActualLength = length;
            entry.Length = length;
        }

        if (_model.Running)
            _model.Stop();
        Task stopping = _ring.StopAsync();
        Await(() => stopping.IsCompleted);
    }

    private void DisposeRing()
    {
        Steps.Does("dispose");
        Dispose(_ring);
        foreach ((UsbInputBuffer buffer, InputRingModel.Entry entry) in _lent)
            Check(buffer, entry); // the buffer still belongs to the program
        Assert.Throws<ObjectDisposedException>(() => _ring.Start());
        foreach ((UsbInputBuffer buffer, _) in _lent)
            buffer.Dispose();
        _lent.Clear();
        Make();
    }

    private void Unplug()
    {
        Steps.Does("unplug");
        bool ran = _model.Running;
        Bus.Detach(Device);
        if (ran && _model.InFlight > 0)
        {
            Await(() => _ring.Completion.IsCompleted);
            Steps.Same(UsbError.NoDevice, _ring.Failure?.Error, "failure");
        }

        long failed = _ring.GetStatistics().Transfers.NoDevice + _ring.GetStatistics().Transfers.Canceled;
        Steps.Same(_model.InFlight, (int)(failed - _model.Statuses.GetValueOrDefault(UsbTransferStatus.Canceled)), "transfers that unplugging ended");
        _model.Stop(UsbError.NoDevice, UsbTransferStatus.NoDevice);
        while (_wasStarted) // all data that had arrived can still be read
        {
            InputRingModel.Entry? expected = _model.Read();
            bool any = _ring.TryTake(out UsbInputBuffer buffer);
            Steps.Same(expected is not null, any, "availability of a buffer after unplugging");
            if (expected is null)
                break;
            Check(buffer, expected);
            _lent.Add((buffer, expected));
        }

        Dispose(_ring);
        foreach ((UsbInputBuffer buffer, InputRingModel.Entry entry) in _lent)
        {
            Check(buffer, entry);
            buffer.Dispose();
        }

        _lent.Clear();
        Handle.Dispose();
        PlugIn();
        Make();
    }

    private void Make()
    {
        int transfers = 1 + Steps.Below(4), spares = Steps.Below(4), errorLimit = 1 + Steps.Below(4);
        bool drops = spares > 0 && Steps.OneIn(2);
        _clearsHalts = Steps.OneIn(2);
        _wasStarted = false;
        Steps.Does($"make {transfers} + {spares}, drops {drops}, clears halts {_clearsHalts}, error limit {errorLimit}");
        _model = new InputRingModel(transfers, spares, drops, _clearsHalts, errorLimit);
        _ring = Handle.At(Descriptor().Address).CreateInputRing(new UsbRingOptions
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
        Await(() => _ring.GetStatistics().InFlight == _model.InFlight); // another thread may still submit the transfers that this thread has left to it
        UsbRingStatistics real = _ring.GetStatistics();
        Steps.Same(0, real.SubmitFailures, $"refused submissions ({real.LastSubmitFailure})");
        Steps.Same(_model.InFlight, real.InFlight, "in flight");
        Steps.Same(_model.Completions, real.Completions, "completions");
        Steps.Same(_model.Bytes, real.Bytes, "bytes");
        Steps.Same(_model.Dropped, real.Dropped, "dropped");
        Steps.Same(_model.Recoveries, real.Recoveries, "recoveries");
        Steps.Same(_model.Running, _ring.IsRunning, "running");
        Steps.Same(_model.Failure, _ring.Failure?.Error ?? UsbError.Success, "failure");
        foreach ((UsbTransferStatus status, long count) in (ReadOnlySpan<(UsbTransferStatus, long)>)[
            (UsbTransferStatus.Completed, real.Transfers.Completed), (UsbTransferStatus.Error, real.Transfers.Error),
            (UsbTransferStatus.Canceled, real.Transfers.Canceled), (UsbTransferStatus.Stall, real.Transfers.Stall),
            (UsbTransferStatus.Overflow, real.Transfers.Overflow)])
        {
            Steps.Same(_model.Statuses.GetValueOrDefault(status), count, status.ToString());
        }

        AwaitPending(_model.InFlight);
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
        Steps.Same(entry.Length, buffer.Length, "length");
        ReadOnlySpan<byte> data = buffer.Data;
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] != RingTest.PatternByte(entry.Start + i))
                Steps.Fail($"byte {i} of buffer {entry.Sequence} is wrong");
        }
    }
}
