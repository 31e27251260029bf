namespace Native.LibUsb;

// Closing the device, and ending claims of its interfaces.
public sealed unsafe partial class UsbDeviceHandle
{
    // The time after which closing repeats its requests to cancel: libusb ignores one that precedes the submission, and some systems need a second one.
    private static readonly TimeSpan s_cancelAgain = TimeSpan.FromMilliseconds(20);

    // Pulsed each time a transfer of something that closes comes to rest.
    private readonly object _rest = new();

    /// <summary>
    /// Closes the device (<c>libusb_close</c>): refuses further submissions, cancels every transfer in flight, waits until all their callbacks have returned
    /// (handling events itself unless an event thread does), frees the transfers, releases the interfaces, and closes. Called inside a callback of the context,
    /// it only begins and does not wait; the rest happens right after the call that handles the events. May be called more than once; every caller waits for the
    /// end.
    /// </summary>
    /// <remarks>
    /// <para>A callback that does not return, or that waits for the thread that disposes, holds the closing up without a limit.</para>
    /// <para>A synchronous transfer of another thread is not waited for. On Linux it ends because its interface is released, and throws; a request that the
    /// device does not answer keeps the device open until its time limit, or until the device is unplugged.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public void Dispose()
    {
        bool first = BeginClosing();
        if (!CallbackScope.IsInside(Context.NativeHandle))
            FinishClosing(mayWait: true);
        else if (first)
            Context.NativeHandle.Deferred.AddClosing(() => FinishClosing(mayWait: false));
    }

    /// <summary>
    /// Closes the device as <see cref="Dispose"/> does, and waits without blocking the calling thread. May be awaited by code that continues inside a callback
    /// (<see cref="UsbTransfer.ContinueOnEventThread"/>), and by any number of callers.
    /// </summary>
    /// <returns>Completes when the device is closed.</returns>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return new ValueTask(_closing.IsClosed ? _closing.Completion : Task.Run(() => FinishClosing(mayWait: true)));
    }

    /// <summary>Performs the part of closing that does not wait: refuses submissions from here on, and cancels the transfers in flight.</summary>
    /// <returns>Whether this call began it, so that the caller has to finish it.</returns>
    internal bool BeginClosing()
    {
        LogScope.ThrowIfInside();
        return _closing.TryBegin(() =>
        {
            StopEndpointUsers(static _ => true, UsbError.Closed); // first: rings cancel their transfers from the last to the first
            foreach (UsbTransfer transfer in _transfers.Snapshot())
                transfer.StopForClosingHandle();
        });
    }

    /// <summary>Performs the part of closing that waits. One caller does it, and others wait for that caller if they may.</summary>
    /// <param name="mayWait">False for deferred work, whose thread may be the one that the other caller needs the events of.</param>
    internal void FinishClosing(bool mayWait)
    {
        if (!_closing.TryBeginFinish())
        {
            if (mayWait && !_closing.IsFinishedByThisThread)
                WaitUntilClosed();
            return;
        }

        try
        {
            using var scope = new ClosingScope(Context.NativeHandle);
            CloseAtRest();
        }
        finally
        {
            _closing.Complete();
            lock (_rest)
                Monitor.PulseAll(_rest);
            Context.RunDeferred(); // also after a failure: no other thread may come to run it
        }
    }

    /// <summary>Ends a claim: waits until the transfers that it stopped are at rest, disposes the transfers of the claim's endpoints, and releases the
    /// interface.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="last">The interface to release; null while other claims of it are left.</param>
    internal void CloseClaim(UsbInterface claim, ClaimedInterface? last)
    {
        try
        {
            if (Drain(transfer => MustStop(transfer, claim, last)) is var error and < 0)
                Context.ReportCallbackException(claim, new UsbException((UsbError)error, $"wait for the transfers of interface {claim.Number}, which closes"));
        }
        catch (ObjectDisposedException)
        {
            return; // the context was closed in the meantime, and everything with it
        }

        foreach (UsbTransfer transfer in _transfers.Snapshot())
        {
            if (transfer.Owner == claim)
                transfer.Dispose();
        }

        if (last is not null)
            Claims.Release(last);
    }

    /// <summary>Reports that a transfer of a closing object is at rest. Called by the thread that ran its callback.</summary>
    internal void TransferCameToRest()
    {
        lock (_rest)
            Monitor.PulseAll(_rest);
    }

    private void CloseAtRest()
    {
        List<UsbTransfer> transfers;
        do
        {
            if (Drain(static _ => true) is var error and < 0)
            {
                // Their callbacks will never run. To free or to close now would be use after free: what is left stays, and the subscriber gets a report.
                Context.ReportCallbackException(this, new UsbException((UsbError)error, "wait for the transfers of a closing device"));
                return;
            }

            transfers = _transfers.Snapshot();
        }
        while (!transfers.TrueForAll(static transfer => transfer.TryRelease())); // again if another thread configures one at this moment

        FreeAllDeviceMemory();
        Claims.ReleaseAll();
        ClaimRegistry.Remove(Claims);
        Device.Dispose();
        _native.Dispose();
        Context.Handles.Remove(_registration);
    }

    /// <summary>Waits until transfers are at rest, handling events itself unless an event thread does.</summary>
    /// <returns>A negative number is the error for which events cannot be handled.</returns>
    private int Drain(Predicate<UsbTransfer> isMine)
    {
        while (_transfers.Snapshot().FindAll(transfer => isMine(transfer) && transfer.IsBusy) is { Count: > 0 } busy)
        {
            int result = WaitForRest(() => busy.Exists(static transfer => transfer.IsBusy));
            if (result < 0)
                return result;
            busy.ForEach(static transfer => transfer.CancelAgain());
        }

        return 0;
    }

    private void WaitUntilClosed()
    {
        while (!_closing.IsClosed)
        {
            try
            {
                WaitForRest(() => !_closing.IsClosed);
            }
            catch (ObjectDisposedException) when (_closing.IsClosed)
            {
                // closed at this very moment, and the context with it
            }
        }
    }

    /// <summary>Waits a moment for something to happen, handling events itself unless an event thread does.</summary>
    private int WaitForRest(Func<bool> isWaiting)
    {
        if (!Context.IsPumpedElsewhere)
            return Context.PumpOnce(s_cancelAgain); // callbacks run here; their exceptions come out of the next call that handles events

        lock (_rest)
        {
            if (isWaiting())
                Monitor.Wait(_rest, s_cancelAgain);
        }

        return 0;
    }
}
