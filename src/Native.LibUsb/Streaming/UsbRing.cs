using System.Diagnostics;

namespace Native.LibUsb.Streaming;

/// <summary>
/// A queue of transfers on one endpoint that is kept full: what all streaming programs write by hand. Made by
/// <see cref="UsbEndpointRings.CreateInputRing"/> and <see cref="UsbEndpointRings.CreateOutputRing"/>.
/// </summary>
/// <remarks>
/// Transfers are submitted in order, and their data is delivered in that order, also when they do not end in it. The context's event
/// thread is started if nobody handles events. Nothing is allocated while data streams.
/// </remarks>
public abstract class UsbRing : IEndpointUser, IDisposable, IAsyncDisposable
{
    // Some systems need a second request to cancel.
    private static readonly TimeSpan s_cancelAgain = TimeSpan.FromMilliseconds(20);

    // Everything below belongs to who holds the gate. It is held for a few instructions and one submission, never while code of the program
    // runs. Not a monitor: those allocate when threads meet.
    private protected SpinLock Gate = new(enableThreadOwnerTracking: false);
    private protected RingOrder Order;
    private protected RingCounters Counters;

    private readonly UsbInterface _interface;
    private readonly RingSlot[] _slots;
    private readonly RingSlot[] _free;
    private int _freeCount;
    private int _armed;
    private long _nextSequence;
    private int _failuresInARow;
    private volatile RunState _state = RunState.Stopped;
    private volatile UsbError _failure;
    private TaskCompletionSource _rest = Completed();
    private protected UsbRingLoss PendingLoss; // for the next transfer that is submitted
    private bool _cancelArmed; // they are still to be cancelled, once the gate is open
    private int _cancelling; // threads that do it: until they are done the ring is not at rest, or they would cancel what it starts again with
    private bool _stopAsked; // by the program: no recovery
    private bool _disposed;
    private bool _released;

    private protected UsbRing(UsbEndpoint endpoint, RingPlan plan)
    {
        Handle = endpoint.Interface.Handle;
        _interface = endpoint.Interface;
        Plan = plan;
        Handle.AddEndpointUser(this);
        _slots = new RingSlot[plan.Transfers + plan.Spares];
        _free = new RingSlot[_slots.Length];
        try
        {
            for (int i = 0; i < _slots.Length; i++)
            {
                UsbTransfer transfer = endpoint.CreateTransfer(plan.Packets);
                _slots[i] = new RingSlot(this, transfer, plan.TransferSize, plan.Packets);
                Configure(_slots[i]);
            }
        }
        catch
        {
            foreach (RingSlot? slot in _slots)
                slot?.Transfer.Dispose();
            Handle.RemoveEndpointUser(this);
            throw;
        }

        for (int i = _slots.Length - 1; i >= 0; i--)
            PutFree(_slots[i]); // the first is taken first
    }

    private enum RunState
    {
        /// <summary>Nothing is in flight, nothing will be.</summary>
        Stopped,

        /// <summary>The queue is kept full.</summary>
        Running,

        /// <summary>Nothing is submitted any more; what is in flight comes back.</summary>
        Draining,

        /// <summary>Nothing is in flight; a halt is being cleared, and then it runs again.</summary>
        Recovering,
    }

    /// <summary>The device handle it was made by.</summary>
    public UsbDeviceHandle Handle { get; }

    /// <summary>The endpoint's address, with its direction bit.</summary>
    public byte Endpoint => Plan.Endpoint;

    /// <summary>The kind of its transfers.</summary>
    public UsbTransferType TransferType => Plan.Type;

    /// <summary>Bytes of one transfer.</summary>
    public int TransferSize => Plan.TransferSize;

    /// <summary>Gets how many transfers are kept in flight: the number of the options, or the one that was chosen for them.</summary>
    public int Transfers => Plan.Transfers;

    /// <summary>Isochronous packets of one transfer; 0 for other endpoints.</summary>
    public int PacketsPerTransfer => Plan.Packets;

    /// <summary>Bytes of one isochronous packet; 0 for other endpoints.</summary>
    public int PacketSize => Plan.PacketSize;

    /// <summary>Its name in metrics: that of the options, or the endpoint's address.</summary>
    public string Name => Plan.Options.Name ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"0x{Endpoint:x2}");

    /// <summary>Anything the program wants to find again in its handler.</summary>
    public object? State { get; set; }

    /// <summary>Whether it keeps its queue full. False after <see cref="StopAsync"/>, and after a failure.</summary>
    public bool IsRunning => _state == RunState.Running;

    /// <summary>Why it stopped by itself; null while it runs, and when it was told to stop.</summary>
    public UsbException? Failure => _failure is var error && error == UsbError.Success ? null : FailureOf(error);

    /// <summary>
    /// Ends when nothing is in flight any more after it stopped, for whatever reason. It never fails: see <see cref="Failure"/>.
    /// </summary>
    public Task Completion => Volatile.Read(ref _rest).Task;

    UsbInterface IEndpointUser.Interface => _interface;

    int IEndpointUser.StreamId => Plan.Options.StreamId;

    bool IEndpointUser.IsActive => !IsAtRest;

    internal RingPlan Plan { get; }

    /// <summary>Whether it is disposed, and its last transfer has come back.</summary>
    internal bool IsReleased => Volatile.Read(ref _released);

    /// <summary>What it has counted. Reading it costs a copy of a few numbers, and disturbs nothing.</summary>
    public UsbRingStatistics GetStatistics()
    {
        bool taken = false;
        Gate.Enter(ref taken);
        UsbRingStatistics statistics = Counters.Read(_armed, Stopwatch.GetElapsedTime(0, Counters.LongestCallbackTicks));
        Gate.Exit();
        return statistics;
    }

    /// <summary>
    /// Stops: submits nothing more, cancels what is in flight, and waits for it. What had arrived can still be read, and
    /// the ring can be started again. May be called at any time, from any thread, and more than once.
    /// </summary>
    /// <returns>Ends when nothing is in flight.</returns>
    public Task StopAsync()
    {
        Task rest = Completion; // of this run: another may have begun when that one has ended
        StopByProgram();
        return WaitForRestAsync(rest);
    }

    /// <summary>
    /// Stops, and frees everything as soon as it has come back; it does not wait. Buffers that were not read are lost; those that the program
    /// holds stay readable. May be called from a callback, and more than once.
    /// </summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Volatile.Write(ref _disposed, true);
        StopByProgram();
        if (IsAtRest)
            Release(); // otherwise whoever brings it to rest does
        Wake();
    }

    /// <summary>As <see cref="Dispose"/>, and waits until nothing is in flight.</summary>
    /// <returns>Ends when the endpoint is free for another ring.</returns>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Dispose();
        await WaitForRestAsync(Completion).ConfigureAwait(false);
    }

    void IEndpointUser.StopForClosing()
    {
        bool taken = false;
        Gate.Enter(ref taken);
        BeginStopGated(UsbError.Closed);
        Gate.Exit();
        AfterGate();
    }

    /// <summary>Submits the first transfers.</summary>
    /// <exception cref="InvalidOperationException">It runs already, or is being stopped.</exception>
    /// <exception cref="UsbException">libusb refused a transfer.</exception>
    private protected void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (UsbRingMetrics.IsSupported)
            UsbRingMetrics.Add(this);
        Handle.Context.RequireEvents();
        bool taken = false;
        Gate.Enter(ref taken);
        if (_state != RunState.Stopped)
        {
            Gate.Exit();
            throw NotAtRest();
        }

        _state = RunState.Running;
        _failure = UsbError.Success;
        _failuresInARow = 0;
        _stopAsked = false;
        Counters.Started(Plan.Transfers);
        Volatile.Write(ref _rest, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        OnRunning();
        Gate.Exit();
        AfterGate();
        ThrowIfFailed();
    }

    /// <summary>Why it cannot be started, if so.</summary>
    private protected void CheckCanStart()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (!IsAtRest)
            throw NotAtRest();
    }

    private protected void ThrowIfFailed()
    {
        if (Failure is { } failure)
            throw failure;
    }

    /// <summary>Under the gate: gives a transfer what changes with each submission.</summary>
    /// <exception cref="ObjectDisposedException">The device handle closes.</exception>
    private protected virtual void Prepare(RingSlot slot)
    {
    }

    /// <summary>The ring stopped, failed or came to rest: whoever waits looks again. The gate is not held.</summary>
    private protected abstract void Wake();

    /// <summary>Whether one failed transfer ends it: what follows would be behind a hole.</summary>
    private protected virtual bool StopsAtFailure => false;

    /// <summary>Under the gate: it runs, for the first time or again, and nothing is in flight yet.</summary>
    private protected abstract void OnRunning();

    /// <summary>Under the gate: nothing is in flight any more.</summary>
    private protected virtual void OnEmpty()
    {
    }

    /// <summary>Under the gate: takes a buffer that nobody has.</summary>
    private protected RingSlot? TakeFree() => _freeCount > 0 ? _free[--_freeCount] : null;

    /// <summary>Under the gate: a buffer that nobody needs.</summary>
    private protected void PutFree(RingSlot slot)
    {
        slot.State = RingSlotState.Free;
        _free[_freeCount++] = slot;
    }

    /// <summary>Under the gate: whether the queue has room for another transfer.</summary>
    private protected bool WantsMore => _state == RunState.Running && _armed < Plan.Transfers;

    private protected bool IsAtRest => _state == RunState.Stopped;

    private protected bool IsDisposed => Volatile.Read(ref _disposed);

    private protected int Armed => _armed;

    private protected ReadOnlySpan<RingSlot> Slots => _slots;

    /// <summary>Under the gate: submits as much as there is room and buffers for.</summary>
    private protected void Fill()
    {
        while (WantsMore && TakeFree() is { } slot)
        {
            if (Arm(slot))
                continue;
            PutFree(slot);
            return;
        }
    }

    /// <summary>Under the gate: submits a buffer as the last of the queue.</summary>
    /// <returns>False: it was refused, and nobody has it.</returns>
    private protected bool Arm(RingSlot slot)
    {
        UsbError error;
        try
        {
            Prepare(slot);
            error = slot.Transfer.TrySubmit();
        }
        catch (ObjectDisposedException)
        {
            error = UsbError.Closed; // the interface or the device handle closes
        }

        if (error != UsbError.Success)
        {
            Counters.SubmitFailures++;
            Counters.LastSubmitFailure = error;
            // What others give back may be enough for the next; the device and the handle do not come back.
            if (error is UsbError.NoDevice or UsbError.Closed || _armed == 0)
                BeginStopGated(error);
            return false;
        }

        slot.State = RingSlotState.Armed;
        slot.Sequence = _nextSequence++;
        slot.LostBefore = PendingLoss;
        PendingLoss = default;
        Order.Append(slot);
        _armed++;
        return true;
    }

    /// <summary>Under the gate: a transfer has come back. Its results are kept, and what they mean for the ring is done.</summary>
    private protected void TakeBack(RingSlot slot, long now)
    {
        UsbTransfer transfer = slot.Transfer;
        slot.State = RingSlotState.Done;
        slot.Status = transfer.Status;
        slot.Timestamp = now;
        _armed--;
        if (Plan.IsIsochronous)
            TakePackets(slot);
        else
            slot.Length = transfer.ActualLength;
        Counters.Add(slot, Plan);

        switch (slot.Status)
        {
            case UsbTransferStatus.Completed:
                _failuresInARow = 0;
                break;
            case UsbTransferStatus.Canceled:
                break; // by us, or with the handle: the next submission tells
            case UsbTransferStatus.NoDevice:
                BeginStopGated(UsbError.NoDevice);
                break;
            case UsbTransferStatus.Stall:
                BeginStopGated(UsbError.Pipe);
                break;
            default:
                if (StopsAtFailure || ++_failuresInARow >= Plan.Options.ErrorLimit)
                    BeginStopGated(UsbTransferOutcome.ErrorOf(slot.Status));
                break;
        }
    }

    /// <summary>Ends what was begun under the gate. The gate is not held.</summary>
    private protected void AfterGate()
    {
        if (_state != RunState.Draining)
            return;
        if (Interlocked.Exchange(ref _cancelArmed, false))
            CancelArmed();
        TryComeToRest();
    }

    private protected UsbException FailureOf(UsbError error) => error switch
    {
        UsbError.Closed => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: "The interface or the device handle was closed."),
        UsbError.Pipe => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: "Call ClearHalt, and start the ring again."),
        _ => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: TransferHint.ForSubmit(error, Plan.Type, Plan.LargestPiece, Plan.PacketSize)),
    };

    /// <summary>Whether the ring failed, and why.</summary>
    private protected UsbError Error => _failure;

    private static InvalidOperationException NotAtRest() => new("The ring runs already, or is still being stopped: await StopAsync first.");

    /// <summary>Gives a transfer what stays the same.</summary>
    private void Configure(RingSlot slot)
    {
        switch (Plan.Type)
        {
            case UsbTransferType.Isochronous:
                slot.Transfer.SetIsochronousPinned(Plan.Endpoint, slot.Memory);
                break;
            case UsbTransferType.Interrupt:
                slot.Transfer.SetInterruptPinned(Plan.Endpoint, slot.Memory);
                break;
            case UsbTransferType.BulkStream:
                slot.Transfer.SetBulkStreamPinned(Plan.Endpoint, Plan.Options.StreamId, slot.Memory);
                break;
            default:
                slot.Transfer.SetBulkPinned(Plan.Endpoint, slot.Memory);
                break;
        }
    }

    private static void TakePackets(RingSlot slot)
    {
        int packets = 0, sum = 0, withData = 0;
        foreach (UsbIsoPacket packet in slot.Transfer.IterIso())
        {
            slot.PacketLengths[packets] = packet.ActualLength;
            slot.PacketStatuses[packets] = (byte)packet.Status;
            sum += packet.ActualLength;
            packets++;
            if (packet.ActualLength > 0)
                withData = packets;
        }

        slot.Length = sum;
        // A transfer that was cut short has the packets that arrived before; the others never had their turn and are no failures.
        slot.Packets = slot.Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice ? withData : packets;
    }

    private void StopByProgram()
    {
        bool taken = false;
        Gate.Enter(ref taken);
        _stopAsked = true;
        BeginStopGated(UsbError.Success);
        Gate.Exit();
        AfterGate();
    }

    private void BeginStopGated(UsbError failure)
    {
        if (_state != RunState.Running)
            return;
        _state = RunState.Draining;
        _cancelArmed = true;
        _failure = failure;
    }

    // From the last to the first: what is cancelled then is the end of the stream, and no hole in it.
    private void CancelArmed()
    {
        var armed = new List<RingSlot>(_slots.Length);
        bool taken = false;
        Gate.Enter(ref taken);
        for (RingSlot? slot = _state == RunState.Draining ? Order.Last : null; slot is not null; slot = slot.Earlier)
        {
            if (slot.State == RingSlotState.Armed)
                armed.Add(slot);
        }

        _cancelling++;
        Gate.Exit();
        foreach (RingSlot slot in armed) // without the gate: the kernel may take its time
            slot.Transfer.TryCancel();
        taken = false;
        Gate.Enter(ref taken);
        _cancelling--;
        Gate.Exit();
    }

    private void TryComeToRest()
    {
        bool rests = false, recovers = false;
        bool taken = false;
        Gate.Enter(ref taken);
        if (_state == RunState.Draining && _armed == 0 && _cancelling == 0)
        {
            recovers = _failure == UsbError.Pipe && Plan.Options.Stall == UsbRingStall.ClearHalt && !_stopAsked;
            rests = !recovers;
            OnEmpty();
            _state = recovers ? RunState.Recovering : RunState.Stopped;
        }

        TaskCompletionSource run = _rest; // it may be started again as soon as the gate is open
        Gate.Exit();
        if (recovers)
            ThreadPool.UnsafeQueueUserWorkItem(static ring => ring.Recover(), this, preferLocal: false); // here libusb would refuse it
        else if (rests)
            ComeToRest(run);
    }

    private void Recover()
    {
        UsbError error = UsbError.Success;
        try
        {
            error = Handle.TryClearHalt(Endpoint);
        }
        catch (ObjectDisposedException)
        {
            error = UsbError.Closed;
        }

        bool taken = false;
        Gate.Enter(ref taken);
        bool runs = error == UsbError.Success && !_stopAsked;
        _state = runs ? RunState.Running : RunState.Stopped;
        _failure = error;
        TaskCompletionSource run = _rest;
        if (runs)
        {
            Counters.Recoveries++;
            OnRunning();
        }

        Gate.Exit();
        if (runs)
        {
            AfterGate();
            Wake();
        }
        else
        {
            ComeToRest(run);
        }
    }

    private void ComeToRest(TaskCompletionSource run)
    {
        if (Volatile.Read(ref _disposed))
            Release();
        run.TrySetResult();
        Wake();
    }

    private void Release()
    {
        if (Interlocked.Exchange(ref _released, true))
            return;
        foreach (RingSlot slot in _slots)
            slot.Transfer.Dispose();
        Handle.RemoveEndpointUser(this);
    }

    private async Task WaitForRestAsync(Task rest)
    {
        while (!rest.IsCompleted)
        {
            await Task.WhenAny(rest, Task.Delay(s_cancelAgain)).ConfigureAwait(false);
            if (!rest.IsCompleted)
            {
                CancelArmed();
                TryComeToRest();
            }
        }
    }

    private static TaskCompletionSource Completed()
    {
        TaskCompletionSource completed = new();
        completed.SetResult();
        return completed;
    }
}
