using System.Buffers;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Stopping and freeing a transfer. See the state diagram in UsbTransfer.cs.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>
    /// Requests the cancellation from libusb (<c>libusb_cancel_transfer</c>) and returns at once. The callback follows, with
    /// <see cref="UsbTransferStatus.Canceled"/> or, when the transfer ended first, with its own status; bytes that arrived are
    /// there in either case. On macOS, and with some Windows drivers, all transfers of the endpoint are cancelled.
    /// </summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: it is not submitted, or has just completed. <see cref="UsbError.NoDevice"/>: unplugged; the
    /// callback follows.
    /// </exception>
    /// <exception cref="ObjectDisposedException">It is disposed and at rest.</exception>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Cancel()
    {
        CheckNotDead();
        UsbError error = CancelInFlight();
        if (error != UsbError.Success)
        {
            UsbException.Throw(error, "cancel the transfer",
                hint: error == UsbError.NotFound ? "Nothing is submitted: the transfer is at rest, or it has just completed." : null);
        }
    }

    /// <summary>Cancels the transfer as <see cref="Cancel"/> does, but returns whether it was in flight instead of throwing.</summary>
    /// <returns>Whether libusb took the request. False: it is not submitted, or its callback is on its way.</returns>
    public bool TryCancel() => CancelInFlight() == UsbError.Success;

    /// <summary>
    /// Refuses every later submission. A transfer that is already in flight runs to its end: the callback is called, and then the transfer is
    /// disposed, even if the callback throws. May be called from any thread and more than once.
    /// </summary>
    public void Doom() => Interlocked.Or(ref _stop, Doomed);

    /// <summary>Disposes the transfer, but refuses to do so while it is submitted.</summary>
    /// <exception cref="InvalidOperationException">It is submitted.</exception>
    public void Close()
    {
        if (IsSubmitted)
            throw new InvalidOperationException("The transfer is submitted: cancel it and wait for its callback, or use Dispose, which does that by itself.");
        Dispose();
    }

    /// <summary>
    /// Releases the transfer. If it is submitted it is cancelled, this method returns at once, and its callback is still called; native
    /// memory is freed, and memory of the caller's is unpinned, after that. Never blocks; may be called from any thread, from any
    /// callback, and more than once. An exception of the caller's memory that is unpinned goes to <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        Interlocked.Or(ref _stop, Disposed);
        if (!TryRelease())
            CancelInFlight();
    }

    /// <summary>Refuses submissions from here on, because the device handle closes; the transfer reports to the handle when it is at rest.</summary>
    internal void StopForClosingHandle()
    {
        Interlocked.Or(ref _stop, HandleClosing);
        CancelInFlight();
    }

    /// <summary>Refuses submissions until the interface is claimed again, because the interface of its endpoint closes.</summary>
    internal void StopForClosingInterface()
    {
        FollowClaims();
        if ((Volatile.Read(ref _stop) & InterfaceClosed) != 0) // otherwise it was configured for another interface in the meantime
            CancelInFlight();
    }

    /// <summary>Marks the transfer as stale, as the endpoint that created it: it is not submitted any more.</summary>
    internal void MarkStale() => Interlocked.Or(ref _stop, Stale);

    /// <summary>
    /// Notes whether an interface keeps it from being submitted: the claim that made it is closed, or that of its endpoint is or changes its setting. The
    /// thread that
    /// changes the answer calls it afterwards. Callers may overlap: each leaves only when what is noted was right after it was written.
    /// </summary>
    internal void FollowClaims()
    {
        int reasons;
        do
        {
            reasons = ReasonsOfClaims;
            Interlocked.Or(ref _stop, reasons);
            Interlocked.And(ref _stop, reasons | ~(InterfaceClosed | SettingChanges));
        }
        while (reasons != ReasonsOfClaims);
    }

    private int ReasonsOfClaims => (IsInterfaceClosed ? InterfaceClosed : 0) | (_handle.Claims.IsChanging(Volatile.Read(ref _endpoint), Owner) ? SettingChanges : 0);

    private bool IsInterfaceClosed => _handle.Claims.IsClosed(Volatile.Read(ref _endpoint)) || Owner is { IsOpen: false };

    /// <summary>Gets the endpoint's address, also of a transfer that is disposed.</summary>
    internal byte EndpointAddress => _endpoint;

    /// <summary>Gets whether it is disposed, also while its end is still to come.</summary>
    internal bool IsDisposing => (Volatile.Read(ref _stop) & Disposed) != 0;

    /// <summary>Gets what was disposed so that a transfer in flight was cancelled; null if nothing was.</summary>
    internal string? DisposedOwner
    {
        get
        {
            int stop = Volatile.Read(ref _stop);
            return (stop & InterfaceClosed) != 0 ? "interface"
                : (stop & HandleClosing) != 0 ? _handle.Context.IsOpen ? "device handle" : "context"
                : (stop & Disposed) != 0 ? "transfer"
                : null;
        }
    }

    /// <summary>Gets whether it is in flight.</summary>
    internal bool IsInFlight => (Volatile.Read(ref _state) & InFlight) != 0;

    /// <summary>Gets whether code awaits its end, or that it is freed.</summary>
    internal bool IsAwaited => Volatile.Read(ref _awaited) is not null || Volatile.Read(ref _released) is { Task.IsCompleted: false };

    /// <summary>Gets whether libusb, a callback, or a thread that configures it, still has it.</summary>
    internal bool IsBusy => (Volatile.Read(ref _state) & (InFlight | InCallback | Setting)) != 0;

    /// <summary>Requests the cancellation again, for the handle that closes: a request can come too early for a submission that is just being made.</summary>
    internal void CancelAgain() => CancelInFlight();

    /// <summary>Frees it if it is at rest. Exactly one call ever does.</summary>
    /// <returns>Whether it is free now, all of it, also when another thread is freeing it: the call waits for that.</returns>
    /// <remarks>Finalizers, libusb's callbacks and the threads that close an object call this method. It reports an exception of the caller's memory, and
    /// never throws it.</remarks>
    internal bool TryRelease()
    {
        Exception? failure = null;
        lock (_freeing)
        {
            int state = Interlocked.CompareExchange(ref _state, Dead, Idle);
            if (state != Idle)
                return (state & Dead) != 0;

            libusb.libusb_free_transfer(_native);
            _native = null;
            if (_root.IsAllocated)
                UserDataHandle.Free(ref _root);
            MemoryHandle pin = _buffer.Release();
            ReleaseIsoPacketLengths();
            _callback = null;
            _dispatch = &Ignore;
            State = null;
            try
            {
                pin.Dispose(); // may run code of the program
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            _handle.Unregister(_registration);
            Volatile.Write(ref _state, Dead | Freed);
        }

        Interlocked.Exchange(ref _released, s_released)?.TrySetResult();
        GC.SuppressFinalize(this);
        if (failure is not null)
            _handle.Context.ReportCallbackException(this, failure);
        return true;
    }

    private UsbError CancelInFlight()
    {
        LogScope.ThrowIfInside();
        lock (_freeing)
        {
            // InCallback alone is not in flight: libusb has just given it back. Under the lock it cannot be freed.
            return (Volatile.Read(ref _state) & InFlight) != 0
                ? (UsbError)libusb.libusb_cancel_transfer(_native)
                : UsbError.NotFound;
        }
    }

    /// <summary>Cancels a transfer after its submission, if a thread set a reason to stop it before: that thread's request to cancel may have come too
    /// early.</summary>
    private void CancelIfStopped(CancellationToken cancellationToken)
    {
        if ((Volatile.Read(ref _stop) & (Disposed | OwnerClosing)) != 0 || cancellationToken.IsCancellationRequested)
            CancelInFlight();
    }
}
