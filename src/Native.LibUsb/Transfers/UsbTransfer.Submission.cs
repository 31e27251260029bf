using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The path that runs for every transfer: submit, complete, call back, submit again. It allocates nothing and takes no managed lock.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>
    /// Submits the transfer (<c>libusb_submit_transfer</c>). May be called from its own callback, and from any thread.
    /// </summary>
    /// <remarks>
    /// <para>Inside a callback of the context, while the transfer, its interface, its device handle or the context is closing, it returns normally, submits nothing
    /// and leaves <see cref="IsSubmitted"/> false: a callback that submits its transfer again needs no check for that. Neither does a callback
    /// that configures one: the <c>Set</c> methods leave a transfer alone that the closing has freed. On other threads the method throws.</para>
    /// <para>A callback that may outlive the device calls <see cref="TrySubmit()"/>: after the device was unplugged, this method throws
    /// <see cref="UsbError.NoDevice"/> in the callback of every transfer that was in flight.</para>
    /// <para>The callback runs inside libusb. Calls that block throw <see cref="InvalidOperationException"/> in it, with one exception that the library cannot
    /// detect: to block on a task or a value task of an awaitable call (<c>ReadAsync(buffer).AsTask().Wait()</c>) hangs, because the thread that waits is the one
    /// that handles the events. An exception that leaves the callback goes to <see cref="UsbContext.UnhandledCallbackException"/>; if no handler has subscribed, the
    /// call that handles the events throws it, and on an event thread of the library it ends the process.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// It is submitted already, was never configured, the alternate setting of its interface is being changed, or a log handler calls; or the endpoint that
    /// created it is stale
    /// (<see cref="UsbEndpoint.IsStale"/>), because the alternate setting or the configuration has changed or the device was reset.
    /// </exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    /// <exception cref="ObjectDisposedException">The transfer, its interface or its device handle is disposed.</exception>
    /// <exception cref="UsbException">
    /// libusb refused it: <see cref="UsbError.NoDevice"/> when unplugged, <see cref="UsbError.NoMemory"/> or, for isochronous and control
    /// transfers on Linux, <see cref="UsbError.IO"/> at the usbfs memory limit; on Linux <see cref="UsbError.IO"/> also when the endpoint is
    /// not in the alternate setting that is chosen. No callback follows; it may be submitted again.
    /// </exception>
    public void Submit()
    {
        UsbError error = TrySubmit();
        if (error is not (UsbError.Success or UsbError.Closed))
            ThrowSubmit(error);
    }

    /// <summary>Submits the transfer as <see cref="Submit"/> does, and returns the error instead of throwing it.</summary>
    /// <returns>
    /// <see cref="UsbError.Success"/>, or why libusb refused it; then no callback follows. <see cref="UsbError.Closed"/> inside a callback when the transfer, its
    /// interface, its device handle or the context is closing. <see cref="UsbError.NotFound"/> also when the endpoint that created the transfer is stale.
    /// </returns>
    /// <exception cref="InvalidOperationException">It is submitted already, was never configured, the alternate setting of its interface is being changed,
    /// or a log handler calls.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    /// <exception cref="ObjectDisposedException">On another thread: the transfer, its interface or its device handle is disposed.</exception>
    public UsbError TrySubmit() => TrySubmit(null, default);

    private UsbError TrySubmit(TransferCompletion? awaited, CancellationToken cancellationToken)
    {
        LogScope.ThrowIfInside();
        int state;
        do
        {
            state = _state;
            if ((state & (InFlight | Setting | Dead)) != 0)
                return RefuseBusy();
        }
        while (Interlocked.CompareExchange(ref _state, state | InFlight, state) != state); // again when its callback just returned

        // From here on the transfer is ours: its handle cannot close, because closing waits for it to come to rest.
        if (state == Idle)
            _root.Target = this;
        if (_stop != 0)
            return Refuse(state);
        if (OperatingSystem.IsWindows())
            RestoreIsoPacketLengths();
        if (awaited is not null) // it is null already where no thread awaits: each awaited submission takes its own back when it ends
        {
            _awaited = awaited;
            awaited.Begin(cancellationToken);
        }

        int result = libusb.libusb_submit_transfer(_native);

        if (result != 0)
            RollBack(state);
        else if (_stop != 0 || cancellationToken.IsCancellationRequested)
            CancelIfStopped(cancellationToken); // a thread wanted to stop it after we looked, and found nothing in flight to cancel
        return (UsbError)result;
    }

    [UnmanagedCallersOnly]
    private static void OnCompleted(libusb_transfer* native) =>
        Unsafe.As<UsbTransfer>(GCHandle.FromIntPtr((nint)native->user_data).Target!).Complete(native);

    private void Complete(libusb_transfer* native)
    {
        _status = (UsbTransferStatus)native->status;
        _actualLength = native->actual_length;
        if (_status != UsbTransferStatus.Completed)
            ForgetMixedUpPackets();
        else if (_actualLength < native->length)
            CheckDividedWrite(native->length);
        try
        {
            if (_awaited is { } awaited)
            {
                CompleteAwaited(awaited);
            }
            else
            {
                Volatile.Write(ref _state, InCallback);
                _dispatch(this);
            }
        }
        catch (Exception exception) // an exception may not cross libusb's frames
        {
            _handle.Context.ReportCallbackException(this, exception);
        }

        // Submitted again, it stays rooted.
        if (Interlocked.CompareExchange(ref _state, InFlight, InCallback | InFlight) != (InCallback | InFlight))
            ComeToRest();
    }

    /// <summary>
    /// Corrects the status of a divided transfer that wrote less than all. When a URB fails while libusb submits later ones, the kernel refuses those, and libusb
    /// takes the refusal for a short packet: the transfer has failed, and libusb says that it is complete.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CheckDividedWrite(int length)
    {
        if (length > UsbfsLimits.BulkPiece && !UsbEndpointAddress.IsIn(_endpoint) && _type is UsbTransferType.Bulk or UsbTransferType.Interrupt or UsbTransferType.BulkStream
            && OperatingSystem.IsLinux())
        {
            _status = UsbTransferStatus.Error;
        }
    }

    private void ComeToRest()
    {
        while (true)
        {
            // Unroot before Idle: once Idle, a Submit on another thread roots it again, and that must not be undone.
            _root.Target = null;
            int state = Interlocked.CompareExchange(ref _state, Idle, InCallback);
            if (state == InCallback)
            {
                AfterRest(releasing: Disposed | Doomed);
                return;
            }

            if (state == (InCallback | Setting))
            {
                // Another thread configures it, and brings it to rest, unless it has just finished.
                int configured = (Volatile.Read(ref _stop) & Doomed) != 0 ? Setting | DoomedSetting : Setting;
                if (Interlocked.CompareExchange(ref _state, configured, InCallback | Setting) == (InCallback | Setting))
                    return;
                continue;
            }

            // Another thread submitted it at this very moment ...
            _root.Target = this;
            if (Interlocked.CompareExchange(ref _state, InFlight, InCallback | InFlight) == (InCallback | InFlight))
                return;

            // ... and libusb refused it: RollBack has left it to us again.
        }
    }

    // A closing handle or interface releases its transfers itself, when all are at rest: until then callbacks may use each other's.
    private void AfterRest(int releasing)
    {
        int stop = Volatile.Read(ref _stop);
        if ((stop & releasing) != 0)
            TryRelease();
        if ((stop & OwnerClosing) != 0)
            _handle.TransferCameToRest();
    }

    /// <summary>Gives the state back that a submission took, when libusb will not call back.</summary>
    private void RollBack(int state)
    {
        if (_awaited is { } awaited)
        {
            awaited.EndCancellation();
            _awaited = null;
        }

        // Submitted from its callback, which is still running: that brings it to rest when it returns.
        if (state == InCallback && Interlocked.CompareExchange(ref _state, InCallback, InCallback | InFlight) == (InCallback | InFlight))
            return;

        _root.Target = null;
        Interlocked.Exchange(ref _state, Idle); // a full fence: who wants to stop the transfer sets _stop first, then looks at _state
        AfterRest(releasing: Disposed); // doomed without having run: it stays, its results can be read
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private UsbError Refuse(int state)
    {
        int stop = _stop;
        RollBack(state);
        if (stop == Stale)
            return UsbError.NotFound; // the code that libusb would return on Linux; SubmitFailure has the details
        if (!IsRefusedQuietly(stop))
            ThrowStopped(stop);
        return UsbError.Closed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private UsbError RefuseBusy()
    {
        if ((_state & InFlight) != 0)
            throw new InvalidOperationException("The transfer is submitted already.");
        if ((_state & Dead) == 0 || !IsRefusedQuietly(_stop & OwnerClosing))
            ThrowNotAtRest();
        return UsbError.Closed;
    }

    /// <summary>Returns whether a callback submits something that is closing, which is no error of the callback's: it could not know.</summary>
    private bool IsRefusedQuietly(int reasons) =>
        (reasons & (Disposed | OwnerClosing)) != 0 && CallbackScope.IsInside(_handle.Context.NativeHandle);

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowSubmit(UsbError error) => throw SubmitFailure(error);

    internal Exception SubmitFailure(UsbError error)
    {
        if ((Volatile.Read(ref _stop) & Stale) != 0)
            return UsbEndpoint.StaleFailure(_endpoint);
        (int length, int packetLength) = _type switch
        {
            UsbTransferType.Isochronous => LargestPiece(),
            UsbTransferType.Control => (_buffer.Length - UsbControlSetup.Size, 0),
            _ => (_buffer.Length, 0),
        };
        return new UsbException(
            error, $"submit the {_type} transfer on endpoint 0x{_endpoint:x2}",
            hint: Diagnose(error, packetLength) ?? TransferHint.ForSubmit(error, _type, length, packetLength));
    }

    private string? Diagnose(UsbError error, int packetLength)
    {
        if (_type != UsbTransferType.Control)
            return _handle.Claims.Diagnose(error, _endpoint, _type, packetLength);
        byte requestType;
        ushort index;
        lock (_freeing) // the transfer is at rest: another thread may release it
        {
            Span<byte> setup = _buffer.From(0);
            if (setup.Length < UsbControlSetup.Size)
                return null;
            requestType = setup[0];
            index = BinaryPrimitives.ReadUInt16LittleEndian(setup[4..]);
        }

        return _handle.Claims.DiagnoseControl(error, requestType, index);
    }
}
