namespace Native.LibUsb;

// The methods that close the device and end the claims of its interfaces.
public sealed unsafe partial class UsbDeviceHandle
{
    // The time after which a closing handle repeats the request to cancel its transfers. libusb ignores a request if the transfer is not submitted yet, and
    // some systems need a second request.
    private static readonly TimeSpan s_cancelAgain = TimeSpan.FromMilliseconds(20);

    // Pulsed each time a transfer of a closing handle or interface becomes idle, and when the handle is closed.
    private readonly object _rest = new();

    /// <summary>
    /// Closes the device (<c>libusb_close</c>). The method prevents further submissions, cancels every transfer in flight and waits until all callbacks have
    /// returned. If no event thread handles events, the method itself handles events while it waits. Finally, the method frees the transfers, releases the
    /// interfaces and closes the native handle. Inside a callback of the context, the method does not wait: it only prevents further submissions and cancels
    /// the transfers in flight. The call that handles the events then closes the handle before it returns. The method may be called more than once. Outside a
    /// callback, every call waits until the device is closed.
    /// </summary>
    /// <remarks>
    /// <para>This method never returns if a callback does not return, or if a callback waits for the thread that disposes the handle.</para>
    /// <para>The method does not wait for a synchronous transfer that another thread makes. On Linux, this method ends the transfer by releasing the interface,
    /// and the other thread's call throws. If the device does not answer a synchronous control request, the handle stays open until the request times out, or
    /// until the device is unplugged.</para>
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
    /// Closes the device as <see cref="Dispose"/> does, and waits without blocking the calling thread. Any number of callers may await the result. Code that
    /// runs inside a callback, for example because of <see cref="UsbTransfer.ContinueOnEventThread"/>, may also await the result.
    /// </summary>
    /// <returns>A task that completes when the device is closed.</returns>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return new ValueTask(_closing.IsClosed ? _closing.Completion : Task.Run(() => FinishClosing(mayWait: true)));
    }

    /// <summary>Begins to close the handle without waiting: prevents submissions, and cancels the transfers in flight.</summary>
    /// <returns>True if this call began to close the handle. The caller must then call <see cref="FinishClosing"/>.</returns>
    internal bool BeginClosing()
    {
        LogScope.ThrowIfInside();
        return _closing.TryBegin(() =>
        {
            StopEndpointUsers(static _ => true, UsbError.Closed); // before the transfers: a ring cancels its own transfers from the last to the first
            foreach (UsbTransfer transfer in _transfers.Snapshot())
                transfer.StopForClosingHandle();
        });
    }

    /// <summary>
    /// Waits for the transfers, and then closes the handle. If another caller is already doing this and <paramref name="mayWait"/> is true, the method waits
    /// for that caller.
    /// </summary>
    /// <param name="mayWait">
    /// False if the call runs as deferred work. A thread that runs deferred work must not wait, because the caller that closes the handle may need this thread
    /// to handle events.
    /// </param>
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
            Context.RunDeferred(); // also after a failure, because perhaps no other thread runs the deferred work
        }
    }

    /// <summary>
    /// Ends a claim. <see cref="InterfaceClaims.BeginRelease"/> has already stopped the transfers. This method waits until these transfers are idle, and
    /// disposes the transfers that the claim's endpoints created. If this is the last claim of the interface, the method then releases the interface.
    /// </summary>
    /// <param name="claim">The claim.</param>
    /// <param name="last">The interface to release; null if the interface has other claims.</param>
    internal void CloseClaim(UsbInterface claim, ClaimedInterface? last)
    {
        try
        {
            if (Drain(transfer => MustStop(transfer, claim, last)) is var error and < 0)
                Context.ReportCallbackException(claim, new UsbException((UsbError)error, $"wait for the transfers of interface {claim.Number}, which closes"));
        }
        catch (ObjectDisposedException)
        {
            return; // another thread has closed the context and all its handles
        }

        foreach (UsbTransfer transfer in _transfers.Snapshot())
        {
            if (transfer.Owner == claim)
                transfer.Dispose();
        }

        if (last is not null)
            Claims.Release(last);
    }

    /// <summary>Reports that a transfer of a closing handle or interface is idle. The thread that ran the transfer's callback calls this method.</summary>
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
                // libusb can no longer handle events, so the callbacks of the busy transfers will never run. libusb may still access the memory of these
                // transfers. Therefore, the library frees neither the transfers nor the handle. It reports libusb's error in the same way as an exception of a
                // callback.
                Context.ReportCallbackException(this, new UsbException((UsbError)error, "wait for the transfers of a closing device"));
                return;
            }

            transfers = _transfers.Snapshot();
        }
        while (!transfers.TrueForAll(static transfer => transfer.TryRelease())); // repeated while another thread configures a transfer

        FreeAllDeviceMemory();
        Claims.ReleaseAll();
        ClaimRegistry.Remove(Claims);
        Device.Dispose();
        _native.Dispose();
        Context.Handles.Remove(_registration);
    }

    /// <summary>Waits until the selected transfers are idle. If no event thread handles events, this method itself handles events while it waits.</summary>
    /// <returns>0, or the negative libusb error that prevents the handling of events.</returns>
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
                // another thread has just closed the handle and the context
            }
        }
    }

    /// <summary>
    /// Waits until a transfer becomes idle or the handle is closed, but at most for a short time. If no event thread handles events, this method itself handles
    /// events.
    /// </summary>
    private int WaitForRest(Func<bool> isWaiting)
    {
        if (!Context.IsPumpedElsewhere)
            return Context.PumpOnce(s_cancelAgain); // callbacks run here; the next call that handles events throws their exceptions

        lock (_rest)
        {
            if (isWaiting())
                Monitor.Wait(_rest, s_cancelAgain);
        }

        return 0;
    }
}
