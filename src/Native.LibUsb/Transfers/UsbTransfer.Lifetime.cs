using System.Buffers;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods that stop and free a transfer. UsbTransfer.cs has a diagram of the states.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>
    /// Requests the cancellation of the transfer (<c>libusb_cancel_transfer</c>), and returns immediately. The callback follows later. In the callback, the
    /// transfer's status is <see cref="UsbTransferStatus.Canceled"/>. If the transfer had already ended before the request, the transfer has another status. In
    /// both cases, the buffer contains the bytes that arrived. On macOS, and with some Windows drivers, all transfers of the endpoint are cancelled.
    /// </summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the transfer is not submitted, or has just completed. <see cref="UsbError.NoDevice"/>: the device was unplugged, and
    /// the callback is still called.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The transfer is disposed and not in flight.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
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

    /// <summary>Cancels the transfer as <see cref="Cancel"/> does, but returns false instead of throwing an exception for an error.</summary>
    /// <returns>Whether libusb accepted the request. The result is false if the transfer is not submitted, or has just completed.</returns>
    public bool TryCancel() => CancelInFlight() == UsbError.Success;

    /// <summary>
    /// Marks the transfer as doomed. Every later submission throws an exception. If the transfer is in flight, the transfer still runs to its end.
    /// After its callback, the transfer is disposed, even if the callback throws an exception. The method may be called from any thread, and more than once.
    /// </summary>
    public void Doom() => Interlocked.Or(ref _stop, Doomed);

    /// <summary>Disposes the transfer if it is not submitted. Otherwise the method throws an exception.</summary>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    public void Close()
    {
        if (IsSubmitted)
            throw new InvalidOperationException("The transfer is submitted: cancel it and wait for its callback, or use Dispose, which does that by itself.");
        Dispose();
    }

    /// <summary>
    /// Releases the transfer. If the transfer is submitted, this method cancels it and returns immediately. The callback is still called. After the callback,
    /// the native memory is freed and the caller's memory is unpinned. The method does not block. It may be called from any thread and any callback, and more
    /// than once. If unpinning the caller's memory throws an exception, the exception goes to <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        Interlocked.Or(ref _stop, Disposed);
        if (!TryRelease())
            CancelInFlight();
    }

    /// <summary>
    /// Cancels the transfer and prevents later submissions, because the device handle is being closed. As soon as the transfer is idle, the transfer notifies
    /// the handle.
    /// </summary>
    internal void StopForClosingHandle()
    {
        Interlocked.Or(ref _stop, HandleClosing);
        CancelInFlight();
    }

    /// <summary>
    /// Cancels the transfer, because the interface of its endpoint is being closed. Prevents submissions until the interface is claimed again.
    /// </summary>
    internal void StopForClosingInterface()
    {
        FollowClaims();
        if ((Volatile.Read(ref _stop) & InterfaceClosed) != 0) // otherwise another thread has configured the transfer for another interface
            CancelInFlight();
    }

    /// <summary>Marks the transfer as stale, because the endpoint that created it is stale. A stale transfer cannot be submitted.</summary>
    internal void MarkStale() => Interlocked.Or(ref _stop, Stale);

    /// <summary>
    /// Updates the flags InterfaceClosed and SettingChanges in <c>_stop</c>. These flags prevent submissions. InterfaceClosed is set if the claim that created
    /// the transfer is closed, or if the interface of the endpoint was closed and not claimed again. SettingChanges is set while the alternate setting is being
    /// changed. A thread calls this method after it has claimed an interface, begun to close an interface, begun or ended a change of the alternate setting, or
    /// configured the transfer. Several threads may run this method at the same time. If a condition changes while a thread updates the flags, the thread
    /// repeats the update.
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

    /// <summary>Gets the endpoint's address. Unlike <see cref="Endpoint"/>, this property does not throw an exception if the transfer is disposed.</summary>
    internal byte EndpointAddress => _endpoint;

    /// <summary>Gets whether <see cref="Dispose"/> was called, even if the transfer is still in flight.</summary>
    internal bool IsDisposing => (Volatile.Read(ref _stop) & Disposed) != 0;

    /// <summary>Gets the kind of the object whose disposal cancelled the transfer; null if no disposal cancelled the transfer.</summary>
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

    /// <summary>Gets whether the transfer is in flight.</summary>
    internal bool IsInFlight => (Volatile.Read(ref _state) & InFlight) != 0;

    /// <summary>Gets whether code awaits the end or the release of the transfer.</summary>
    internal bool IsAwaited => Volatile.Read(ref _awaited) is not null || Volatile.Read(ref _released) is { Task.IsCompleted: false };

    /// <summary>Gets whether the transfer is in flight, is in its callback, or is being configured.</summary>
    internal bool IsBusy => (Volatile.Read(ref _state) & (InFlight | InCallback | Setting)) != 0;

    /// <summary>
    /// Requests the cancellation again while the device handle closes. The first request has no effect if it is made just before libusb submits the transfer.
    /// </summary>
    internal void CancelAgain() => CancelInFlight();

    /// <summary>Frees the transfer if it is idle. If several threads call this method, only one of the calls frees the transfer.</summary>
    /// <returns>Whether the transfer is completely freed. If another thread is freeing it, the call waits for that thread.</returns>
    /// <remarks>
    /// Finalizers, libusb's callbacks and the threads that close an object call this method. If unpinning the caller's memory throws an exception, the method
    /// reports that exception and does not throw it.
    /// </remarks>
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
            // If only InCallback is set in _state, the transfer has already ended, so there is nothing to cancel. _native stays valid, because no other thread
            // frees the transfer while this thread holds the lock.
            return (Volatile.Read(ref _state) & InFlight) != 0
                ? (UsbError)libusb.libusb_cancel_transfer(_native)
                : UsbError.NotFound;
        }
    }

    /// <summary>
    /// Cancels a transfer that was just submitted, if another thread stopped the transfer during the submission. That thread may have requested the
    /// cancellation before libusb submitted the transfer, and such a request has no effect.
    /// </summary>
    private void CancelIfStopped(CancellationToken cancellationToken)
    {
        if ((Volatile.Read(ref _stop) & (Disposed | OwnerClosing)) != 0 || cancellationToken.IsCancellationRequested)
            CancelInFlight();
    }
}
