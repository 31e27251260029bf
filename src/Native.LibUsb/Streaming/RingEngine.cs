using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the machine of a ring: owns its transfers, submits and cancels them, and brings the ring to rest. See <see cref="RingLock"/> for the
/// rules.</summary>
internal sealed unsafe class RingEngine
{
    private readonly UsbRing _ring;
    private readonly UsbInterface _interface;
    private readonly RingConfiguration _configuration;

    // Null in a program that libusb is linked into and that does not export its functions; then the import is called.
    private readonly delegate* unmanaged<libusb_transfer*, int> _submit;

    private readonly bool _hasTimestamps;

    private delegate*<RingTransfer, void> _deliver; // calls the handler of a ring that gives its data to one
    private bool _submitting; // one thread submits, and takes up what others leave to it
    private int _failuresInARow;

    private readonly MissedIntervals? _missed; // of isochronous rings that read
    private long _intervals;
    private long _lastCompletion;

    private bool _disposed;
    private bool _released;

    // Fields, not properties: they are structures that change.
    public RingLock Lock;
    public RingCounters Counters;

    public RingEngine(UsbRing ring, UsbInterface @interface, RingTransfer[] transfers)
    {
        _ring = ring;
        _interface = @interface;
        _configuration = ring.Configuration;
        _hasTimestamps = _configuration.Options.Timestamps;
        Queue = new TransferQueue(transfers, _configuration.Transfers);
        foreach (RingTransfer transfer in transfers)
            transfer.Engine = this;
        if (_configuration.IsIsochronous && _hasTimestamps && UsbEndpointAddress.IsIn(_configuration.Endpoint))
            _missed = new MissedIntervals(_configuration.ServiceInterval, _configuration.Packets, _configuration.Transfers);
        if (LibraryLoader.TryGetExport(nameof(libusb.libusb_submit_transfer), out nint address))
            _submit = (delegate* unmanaged<libusb_transfer*, int>)address;
    }

    public TransferQueue Queue { get; }

    public RingRun Run { get; } = new();

    public CallbackTimes Times { get; } = new();

    /// <summary>Gets or sets whether the ring may go over to the fast path. Tests turn it off.</summary>
    public bool AllowsFastPath { get; set; } = true;

    public bool IsDisposed => Volatile.Read(ref _disposed);

    /// <summary>Gets whether the ring is disposed, and its last transfer has come back.</summary>
    public bool IsReleased => Volatile.Read(ref _released);

    /// <summary>Gets whether the queue has room for another transfer. Called under the lock.</summary>
    public bool WantsMore => Run.IsRunning && Queue.HasRoom;

    /// <summary>Begins to start the ring.</summary>
    /// <exception cref="InvalidOperationException">It runs already, or is being stopped.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its handle is closing.</exception>
    public void Reserve()
    {
        LogScope.ThrowIfInside();
        ObjectDisposedException.ThrowIf(IsDisposed, _ring);
        Lock.Enter();
        bool reserved = Run.TryReserve();
        Lock.Exit();
        if (!reserved)
            throw new InvalidOperationException("The ring runs already, or is still being stopped: await StopAsync first.");
        if (TryOwnTransfers())
        {
            if (UsbRingMetrics.IsSupported)
                UsbRingMetrics.Add(_ring);
            _ring.Handle.Context.RequireEvents();
            return;
        }

        Abandon();
        ObjectDisposedException.ThrowIf(IsDisposed, _ring); // in the meantime
        throw Queue.All[0].Transfer.OwnershipFailure();
    }

    /// <summary>Starts the ring by submitting the first transfers. The caller has reserved the ring.</summary>
    /// <param name="deliver">On the fast path, called for each transfer that has completed; null if the ring has no fast path.</param>
    /// <param name="producing">Whether the caller goes on to call the program's handler, and <see cref="RingRun.EndCallback"/> after it.</param>
    public void Start(delegate*<RingTransfer, void> deliver, bool producing)
    {
        _deliver = deliver;
        Lock.Enter();
        _failuresInARow = 0;
        Counters.Started(_configuration.Transfers);
        if (producing)
            Run.BeginCallback();
        Run.Start();
        _ring.Content.BeginLocked();
        SubmitLocked();
        Lock.Exit();
        StopIfClosing();
        AfterLock();
    }

    /// <summary>Stops the ring: nothing more is submitted, and what is in flight is cancelled.</summary>
    public void Stop(UsbError failure)
    {
        Lock.Enter();
        Run.StopForGood(failure);
        Lock.Exit();
        AfterLock();
    }

    /// <summary>Stops the ring, and frees its transfers as soon as it is at rest.</summary>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        Volatile.Write(ref _disposed, true);
        Stop(UsbError.Success);
        if (Run.IsAtRest)
            Release(); // otherwise the thread that brings it to rest does
        _ring.Content.Wake();
    }

    /// <summary>Repeats the requests to cancel, which some systems need.</summary>
    public void CancelAgain() => Drain(again: true);

    // ---- Under the lock -------------------------------------------------------------------------------------------------------

    /// <summary>Takes back a transfer that has ended, with results that the caller has read.</summary>
    /// <param name="transfer">The transfer.</param>
    /// <param name="scan">What its packets are like.</param>
    public void TakeBackLocked(RingTransfer transfer, in TransferResults scan)
    {
        if (Queue.IsFast)
            Queue.LeaveFast();
        Run.BeginCallback();
        Queue.End(transfer);
        if (!scan.IsGood)
            Counters.Add(transfer);
        else if (_configuration.IsIsochronous)
            Counters.AddGood(transfer.Length, transfer.Packets, scan.EmptyPackets);
        else
            Counters.AddGood(transfer.Length);

        switch (transfer.Status)
        {
            case UsbTransferStatus.Completed:
                _failuresInARow = 0;
                break;
            case UsbTransferStatus.Canceled:
                break; // by the ring, or with the handle
            case UsbTransferStatus.NoDevice:
                Run.TryStop(UsbError.NoDevice);
                break;
            case UsbTransferStatus.Stall:
                Run.TryStop(UsbError.Pipe);
                break;
            default:
                if (_ring.Content.StopsAtFailure || ++_failuresInARow >= _configuration.Options.ErrorLimit)
                    Run.TryStop(UsbTransferOutcome.ErrorOf(transfer.Status));
                break;
        }
    }

    /// <summary>Submits as much as there is room and content for. The lock is free while libusb submits.</summary>
    public void SubmitLocked()
    {
        if (_submitting)
            return;
        _submitting = true;
        while (WantsMore && _ring.Content.TakeNextLocked() is { } transfer)
        {
            Queue.Append(transfer);
            Lock.Exit();
            _ring.Content.Prepare(transfer);
            int error = SubmitNative(transfer);
            Lock.Enter();
            if (error != 0)
            {
                Queue.Refuse(transfer);
                _ring.Content.TakeRefusedLocked(transfer);
                CountRefusedLocked((UsbError)error);
                break;
            }

            if (!Run.IsRunning)
                Run.CancelAgain(); // the thread that stopped the ring may have tried before there was anything to cancel
        }

        _submitting = false;
    }

    /// <summary>Counts a transfer that libusb has refused.</summary>
    public void CountRefusedLocked(UsbError error)
    {
        Counters.Refused(error);
        // The memory that others give back may be enough for the next attempt; the device does not come back.
        if (error == UsbError.NoDevice || Queue.InFlight == 0)
            Run.TryStop(error);
    }

    /// <summary>Ends a callback.</summary>
    /// <param name="mayBeFast">Whether the fast path may run from here on.</param>
    public void EndCallbackLocked(bool mayBeFast)
    {
        Run.EndCallback();
        // The fast path does not reset the count of failures, so that it begins with a transfer that completed.
        if (mayBeFast && AllowsFastPath && Run.IsRunning && !_submitting && _failuresInARow == 0)
            Queue.TryEnterFast();
    }

    // ---- After the lock -------------------------------------------------------------------------------------------------------

    /// <summary>Causes what was begun under the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AfterLock()
    {
        if (Run.Stage == RingStage.Draining)
            Drain(again: false);
    }

    /// <summary>Reads the results of a transfer that has ended. Called before the lock is taken: until it is taken back, the transfer belongs to its
    /// callback.</summary>
    public static TransferResults ReadResults(RingTransfer transfer, libusb_transfer* native, long now)
    {
        transfer.Timestamp = now;
        transfer.Status = (UsbTransferStatus)native->status;
        bool completed = transfer.Status == UsbTransferStatus.Completed;
        if (transfer.PacketSize == 0)
        {
            transfer.Length = native->actual_length;
            return new TransferResults(completed, 0);
        }

        if (!completed)
            transfer.Transfer.ForgetPackets();
        int packets = native->num_iso_packets;
        int size = transfer.Ring.Configuration.PacketSize;
        transfer.Length = PacketScan.Copy(native->iso_packet_desc, transfer.Descriptors, packets, size, out bool isPlain, out int empty);
        if (!isPlain)
            transfer.Length = PacketScan.Cut(transfer.Descriptors.AsSpan(0, packets), size);
        // A transfer that was cancelled has the packets that had arrived; the others never had their turn, and have not failed.
        if (transfer.Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice)
        {
            while (packets > 0 && transfer.Descriptors[packets - 1].actual_length == 0)
                packets--;
        }

        transfer.Packets = packets;
        return new TransferResults(completed && isPlain, empty);
    }

    private void Drain(bool again)
    {
        Lock.Enter();
        bool cancels = Run.TryBeginCancelling(again);
        Lock.Exit();
        if (cancels)
        {
            CancelAll();
            Lock.Enter();
            Run.EndCancelling();
            Lock.Exit();
        }

        TrySettle();
    }

    // From the newest to the oldest: what is cancelled is the end of the stream, and not a hole in it.
    private void CancelAll()
    {
        Interlocked.MemoryBarrierProcessWide(); // a thread on the fast path either sees that the ring does not run, or has submitted what is cancelled here
        RingTransfer[] newestFirst = Queue.All.ToArray();
        long[] numbers = Array.ConvertAll(newestFirst, static transfer => -Volatile.Read(ref transfer.Sequence));
        Array.Sort(numbers, newestFirst);
        foreach (RingTransfer transfer in newestFirst)
        {
            if (transfer.State == RingTransferState.InFlight)
                CancelNative(transfer);
        }
    }

    private void TrySettle()
    {
        Lock.Enter();
        RingStage next = Run.TrySettle(Queue.InFlight, _configuration.Options.Stall == UsbRingStall.ClearHalt);
        if (next != RingStage.Draining)
        {
            FinishIntervals();
            _ring.Content.EndLocked();
        }

        Lock.Exit();
        if (next == RingStage.Recovering)
            ThreadPool.UnsafeQueueUserWorkItem(static engine => engine.Recover(), this, preferLocal: false); // in a callback libusb would refuse it
        else if (next == RingStage.Settling)
            Settle();
    }

    private void Recover()
    {
        UsbError error;
        try
        {
            error = _interface.Handle.TryClearHalt(_configuration.Endpoint);
        }
        catch (ObjectDisposedException)
        {
            error = UsbError.Closed;
        }

        Lock.Enter();
        bool runs = Run.EndRecovery(error);
        if (runs)
        {
            _ring.Content.BeginLocked();
            SubmitLocked();
            Counters.Recovered(); // last: the ring runs as before
        }

        Lock.Exit();
        if (!runs)
        {
            Settle();
            return;
        }

        StopIfClosing();
        AfterLock();
        _ring.Content.Wake();
    }

    /// <summary>Stops the ring again if its handle closes or it is disposed: the thread that does so may have looked before the ring was running.</summary>
    private void StopIfClosing()
    {
        Interlocked.MemoryBarrier();
        if (IsDisposed)
            Stop(UsbError.Success);
        else if (!_interface.IsOpen)
            Stop(UsbError.Closed);
    }

    private bool TryOwnTransfers()
    {
        ReadOnlySpan<RingTransfer> all = Queue.All;
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i].Transfer.TryOwn(all[i], &OnCompleted))
                continue;
            foreach (RingTransfer owned in all[..i])
                owned.Transfer.EndOwnership();
            return false;
        }

        return true;
    }

    private void Abandon()
    {
        Lock.Enter();
        Run.Abandon();
        Lock.Exit();
        EndRun();
    }

    private void Settle()
    {
        foreach (RingTransfer transfer in Queue.All)
            transfer.Transfer.EndOwnership();
        EndRun();
    }

    private void EndRun()
    {
        Lock.Enter();
        TaskCompletionSource rest = Run.Settle();
        Lock.Exit();
        Interlocked.MemoryBarrier(); // Dispose writes its flag, and then looks whether the ring is at rest
        if (IsDisposed)
            Release();
        rest.TrySetResult();
        _ring.Content.Wake();
    }

    private void Release()
    {
        if (Interlocked.Exchange(ref _released, true))
            return;
        FreeTransfers();
        _ring.Released();
    }

    /// <summary>Frees the transfers of a ring that is at rest, or never had its endpoint.</summary>
    public void FreeTransfers()
    {
        foreach (RingTransfer transfer in Queue.All)
            transfer.Transfer.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SubmitNative(RingTransfer transfer)
    {
        if (OperatingSystem.IsWindows() && transfer.PacketSize != 0)
            transfer.Transfer.RestorePackets();
        return _submit is null ? (int)libusb.libusb_submit_transfer(transfer.Native) : _submit(transfer.Native);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CancelNative(RingTransfer transfer) => _ = libusb.libusb_cancel_transfer(transfer.Native);

    [UnmanagedCallersOnly]
    private static void OnCompleted(libusb_transfer* native)
    {
        RingTransfer transfer = UsbTransfer.OwnerOf<RingTransfer>(native);
        try
        {
            transfer.Engine.Complete(transfer, native);
        }
        catch (Exception exception) // only a handler on the fast path throws. An exception may not cross libusb's frames, and the stream goes on
        {
            transfer.Loan++;
            transfer.Ring.Handle.Context.ReportCallbackException(transfer.Ring, exception);
        }
    }

    /// <summary>
    /// Runs the fast path, without the lock: submits the spare transfer in place of one that has completed, if the fast path runs and it is this transfer's
    /// turn, and
    /// delivers it. The transfer is the spare one after that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Complete(RingTransfer ended, libusb_transfer* native)
    {
        long now = _hasTimestamps ? CallbackClock.Begin(Times) : 0;
        UsbError refused = UsbError.Success;
        TransferQueue queue = Queue;
        if (ended.Sequence == queue.Head && native->status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED && Run.IsRunning)
        {
            RingTransfer spare = ended.Spare;
            spare.Sequence = queue.NumberAfter(ended); // a thread that cancels everything sorts by it
            refused = (UsbError)SubmitNative(spare);
            if (refused == UsbError.Success)
            {
                queue.Advance(ended);
                if (!Run.IsRunning)
                    CancelNative(spare); // the thread that stopped the ring may have tried before there was anything to cancel
                ended.Timestamp = now;
                ended.Status = UsbTransferStatus.Completed;
                if (ended.PacketSize == 0)
                    ended.Length = Counters.AddGood(native->actual_length);
                else
                    TakePackets(ended, native, now);
                long loan = ended.Loan; // no buffer has this number yet
                _deliver(ended);
                ended.Loan = loan + 1; // a handler that disposed the buffer has set the same number
                return;
            }

            spare.Sequence = -1;
        }

        _ring.CompleteSlowly(ended, native, now, refused);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakePackets(RingTransfer ended, libusb_transfer* native, long now)
    {
        int packets = ended.Descriptors.Length;
        int length = PacketScan.Copy(native->iso_packet_desc, ended.Descriptors, packets, ended.PacketSize, out bool isPlain, out int empty);
        ended.Length = length;
        ended.Packets = packets;
        if (isPlain)
            Counters.AddGood(length, packets, empty);
        else
            TakeOthers(ended);
        CountIntervals(now, packets);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakeOthers(RingTransfer ended)
    {
        ended.Length = PacketScan.Cut(ended.Descriptors, ended.PacketSize);
        Counters.Add(ended);
    }

    /// <summary>Counts the intervals of a completed isochronous transfer. Called on the thread that handles events, with the lock or on the fast path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountIntervals(long now, int packets)
    {
        if (_missed is not { } missed)
            return;
        _intervals += packets;
        _lastCompletion = now;
        if (missed.Add(now, _intervals))
            PublishMissed();
    }

    /// <summary>Ends the count of intervals with the stream. Called under the lock.</summary>
    private void FinishIntervals()
    {
        if (_missed is not { } missed)
            return;
        missed.Finish(_lastCompletion);
        PublishMissed();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PublishMissed() => Counters.Missed(_missed!.Count, _missed.CountWhileLate, _missed.LongestDelayTicks);
}
