using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Implements a ring. The engine owns the ring's transfers, submits and cancels them, and ends the ring's run when no transfer is in flight. The rules
/// for locking are in <see cref="RingLock"/>.
/// </summary>
internal sealed unsafe class RingEngine
{
    private readonly UsbRing _ring;
    private readonly UsbInterface _interface;
    private readonly RingConfiguration _configuration;

    // The address of libusb_submit_transfer. It is null in a program that links libusb statically and does not export libusb's functions. In such a program,
    // the engine calls the imported function.
    private readonly delegate* unmanaged<libusb_transfer*, int> _submit;

    private readonly bool _hasTimestamps;

    private delegate*<RingTransfer, void> _deliver; // calls the ring's handler on the fast path
    private bool _submitting; // true while a thread submits; that thread also submits the transfers that other threads add
    private int _failuresInARow;

    private readonly MissedIntervals? _missed; // null unless the ring is isochronous, reads and has timestamps
    private long _intervals;
    private long _lastCompletion;

    private bool _disposed;
    private bool _released;

    // These members are fields, because properties would return copies of the structures.
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

    /// <summary>Gets or sets whether the ring may enter the fast path. Tests set the property to false.</summary>
    public bool AllowsFastPath { get; set; } = true;

    public bool IsDisposed => Volatile.Read(ref _disposed);

    /// <summary>Gets whether the ring is disposed and none of its transfers is in flight.</summary>
    public bool IsReleased => Volatile.Read(ref _released);

    /// <summary>Gets whether the ring runs and its queue has room for another transfer. The caller holds the lock.</summary>
    public bool WantsMore => Run.IsRunning && Queue.HasRoom;

    /// <summary>Reserves the ring for the caller, which is about to start it. From this call on, the ring owns its transfers.</summary>
    /// <exception cref="InvalidOperationException">The ring is already running, or is being stopped.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its handle is closing.</exception>
    public void Reserve()
    {
        LogScope.ThrowIfInside();
        ObjectDisposedException.ThrowIf(IsDisposed, _ring);
        Lock.Enter();
        bool reserved = Run.TryReserve();
        Lock.Exit();
        if (!reserved)
            throw new InvalidOperationException("The ring is already running, or is still being stopped: await StopAsync first.");
        if (TryOwnTransfers())
        {
            if (UsbRingMetrics.IsSupported)
                UsbRingMetrics.Add(_ring);
            _ring.Handle.Context.RequireEvents();
            return;
        }

        Abandon();
        ObjectDisposedException.ThrowIf(IsDisposed, _ring); // another thread may have disposed the ring since the first check
        throw Queue.All[0].Transfer.OwnershipFailure();
    }

    /// <summary>Starts the ring by submitting the first transfers. The caller has reserved the ring.</summary>
    /// <param name="deliver">The function that the fast path calls for each completed transfer; null if the ring has no fast path.</param>
    /// <param name="producing">
    /// True if the caller will call the program's handler when this method has returned. When the handler has returned, the caller must call
    /// <see cref="RingRun.EndCallback"/>.
    /// </param>
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

    /// <summary>Stops the ring. The ring submits nothing more, and cancels the transfers in flight.</summary>
    public void Stop(UsbError failure)
    {
        Lock.Enter();
        Run.StopForGood(failure);
        Lock.Exit();
        AfterLock();
    }

    /// <summary>Stops the ring, and frees its transfers as soon as the run has ended.</summary>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        Volatile.Write(ref _disposed, true);
        Stop(UsbError.Success);
        if (Run.IsAtRest)
            Release(); // otherwise the thread that ends the run releases the ring
        _ring.Content.Wake();
    }

    /// <summary>Repeats the requests to cancel the transfers in flight. Some systems need the repetition.</summary>
    public void CancelAgain() => Drain(again: true);

    // ---- Under the lock -------------------------------------------------------------------------------------------------------

    /// <summary>Takes back a transfer that has ended. The caller has read the results of the transfer.</summary>
    /// <param name="transfer">The transfer.</param>
    /// <param name="scan">The results of the transfer.</param>
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
                break; // the ring has cancelled the transfer, or the handle is being closed
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

    /// <summary>Submits transfers while the queue has room and there are transfers to submit. The method releases the lock while libusb submits.</summary>
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
                Run.CancelAgain(); // the thread that stopped the ring may have cancelled before this transfer was in flight
        }

        _submitting = false;
    }

    /// <summary>Counts a transfer that libusb has refused.</summary>
    public void CountRefusedLocked(UsbError error)
    {
        Counters.Refused(error);
        // If other transfers are in flight, the ring submits again when one of them ends. This attempt may succeed, for example because the ended transfer has
        // freed memory. The ring therefore stops only if the device is gone, or if no other transfer is in flight.
        if (error == UsbError.NoDevice || Queue.InFlight == 0)
            Run.TryStop(error);
    }

    /// <summary>Ends a callback.</summary>
    /// <param name="mayBeFast">Whether the ring may enter the fast path now.</param>
    public void EndCallbackLocked(bool mayBeFast)
    {
        Run.EndCallback();
        // The fast path does not reset _failuresInARow. The ring therefore enters the fast path only after a completed transfer.
        if (mayBeFast && AllowsFastPath && Run.IsRunning && !_submitting && _failuresInARow == 0)
            Queue.TryEnterFast();
    }

    // ---- Without the lock -----------------------------------------------------------------------------------------------------

    /// <summary>
    /// Stops the transfers of a ring that is being stopped: cancels the transfers in flight, or ends the run if no transfer is in flight. If the ring is not
    /// being stopped, the method does nothing. The caller has released the lock.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AfterLock()
    {
        if (Run.Stage == RingStage.Draining)
            Drain(again: false);
    }

    /// <summary>
    /// Reads the results of a transfer that has ended. The caller does not need the lock, because the transfer belongs to its callback until the ring takes it
    /// back.
    /// </summary>
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
        // If a transfer was cancelled, the ring keeps the packets of this transfer up to and including the last packet with data. The bus has not polled the
        // endpoint for the later packets, so the later packets do not count as failed.
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

    // The method cancels the newest transfer first. If it cancelled an older transfer first, a newer transfer could still move data, and the stream would have
    // a gap.
    private void CancelAll()
    {
        // If a thread on the fast path has submitted its transfer before this barrier, the loop below cancels this transfer. If the thread submits the transfer
        // after this barrier, the thread then finds that the ring has stopped, and cancels the transfer itself.
        Interlocked.MemoryBarrierProcessWide();
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
            ThreadPool.UnsafeQueueUserWorkItem(static engine => engine.Recover(), this, preferLocal: false); // libusb refuses to clear a halt in a callback
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
            Counters.Recovered(); // counted last, when the ring runs again
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

    /// <summary>
    /// Stops the ring if the ring is disposed, or if its interface or handle is closing. Another thread may have begun to close one of these objects before the
    /// ring was running. That thread did not stop the ring, because the ring was not running yet.
    /// </summary>
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
        Interlocked.MemoryBarrier(); // Dispose writes _disposed first, and then reads whether the run has ended
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

    /// <summary>Frees the transfers of a ring that has stopped, or that did not get its endpoint.</summary>
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
        catch (Exception exception) // only a handler on the fast path throws; the exception must not cross libusb's stack frames, and the stream continues
        {
            transfer.Loan++;
            transfer.Ring.Handle.Context.ReportCallbackException(transfer.Ring, exception);
        }
    }

    /// <summary>
    /// Handles a transfer that has ended. The method takes the fast path if the fast path is active, the transfer is the oldest one in flight, and the transfer
    /// has succeeded. On the fast path, the method takes no lock. The method submits the spare transfer, and then delivers the ended transfer. The ended
    /// transfer becomes the next spare transfer.
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
            spare.Sequence = queue.NumberAfter(ended); // CancelAll sorts the transfers by this number
            refused = (UsbError)SubmitNative(spare);
            if (refused == UsbError.Success)
            {
                queue.Advance(ended);
                if (!Run.IsRunning)
                    CancelNative(spare); // the thread that stopped the ring may have cancelled before this transfer was in flight
                ended.Timestamp = now;
                ended.Status = UsbTransferStatus.Completed;
                if (ended.PacketSize == 0)
                    ended.Length = Counters.AddGood(native->actual_length);
                else
                    TakePackets(ended, native, now);
                long loan = ended.Loan; // no existing buffer has this number
                _deliver(ended);
                ended.Loan = loan + 1; // a handler that has disposed the buffer has already set this number
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

    /// <summary>
    /// Counts the intervals of a completed isochronous transfer. The method is called on the thread that handles events. This thread holds the lock or runs on
    /// the fast path.
    /// </summary>
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

    /// <summary>Ends the interval count at the end of the stream. The caller holds the lock.</summary>
    private void FinishIntervals()
    {
        if (_missed is not { } missed)
            return;
        missed.Finish(_lastCompletion, _intervals);
        PublishMissed();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PublishMissed() => Counters.Missed(_missed!.Count, _missed.CountWhileLate, _missed.LongestDelayTicks);
}
