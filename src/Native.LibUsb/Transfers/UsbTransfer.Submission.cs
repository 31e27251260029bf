using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// This file contains the code that runs for every transfer. The code submits a transfer, completes it, runs its callback, and submits it again. The code
// allocates no memory and takes no managed lock.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>
    /// Submits the transfer (<c>libusb_submit_transfer</c>). The method may be called from any thread, and from the transfer's own callback.
    /// </summary>
    /// <remarks>
    /// <para>A callback of the context may call this method while the transfer, its interface, its device handle or the context is closing. Such a call returns
    /// normally, submits nothing, and leaves <see cref="IsSubmitted"/> false. A callback can therefore submit its transfer again without checking whether an
    /// object is closing. A callback can also configure a transfer without this check, because the <c>Set</c> methods do nothing if a closing interface or
    /// handle has already freed the transfer. Outside callbacks, this method throws an exception if one of these objects is closing, and the <c>Set</c> methods
    /// throw an exception if the transfer has been freed.</para>
    /// <para>If the program must continue after the device is unplugged, its callbacks should call <see cref="TrySubmit()"/>. When the device is unplugged,
    /// every transfer in flight gets its callback. In such a callback, <see cref="Submit"/> throws an exception with <see cref="UsbError.NoDevice"/>.</para>
    /// <para>The callback runs inside libusb. In a callback, the library's blocking methods throw <see cref="InvalidOperationException"/>. The library cannot
    /// detect a callback that blocks until one of the library's tasks completes (<c>ReadAsync(buffer).AsTask().Wait()</c>). Such a callback hangs, because it
    /// blocks the thread that handles the events. An exception that leaves the callback is passed to <see cref="UsbContext.UnhandledCallbackException"/>. If no
    /// handler has subscribed to that event, the method that handles the events (such as <see cref="UsbContext.HandleEvents"/>) throws the exception. On the
    /// library's event thread, the exception then ends the process.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The transfer is already submitted, the transfer was never configured, or the alternate setting of its interface is being changed. The method also throws
    /// this exception if a log handler calls it, or if the endpoint that created the transfer is stale (<see cref="UsbEndpoint.IsStale"/>). An endpoint becomes
    /// stale when the alternate setting or the configuration changes, or when the device is reset.
    /// </exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    /// <exception cref="ObjectDisposedException">The transfer, its interface or its device handle is disposed.</exception>
    /// <exception cref="UsbException">
    /// libusb refused the transfer, and no callback follows. The transfer may be submitted again. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.NoMemory"/>: the usbfs memory limit is reached. For isochronous and control transfers on Linux, libusb reports this case as
    /// <see cref="UsbError.IO"/>. On Linux, libusb also reports <see cref="UsbError.IO"/> if the endpoint does not belong to the active alternate setting.
    /// </exception>
    public void Submit()
    {
        UsbError error = TrySubmit();
        if (error is not (UsbError.Success or UsbError.Closed))
            ThrowSubmit(error);
    }

    /// <summary>Submits the transfer as <see cref="Submit"/> does, but returns the error instead of throwing an exception.</summary>
    /// <returns>
    /// <see cref="UsbError.Success"/>, or the error with which libusb refused the transfer. After an error, no callback follows. Inside a callback, the method
    /// returns <see cref="UsbError.Closed"/> if the transfer, its interface, its device handle or the context is closing. The method also returns
    /// <see cref="UsbError.NotFound"/> if the endpoint that created the transfer is stale.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// The transfer is already submitted, the transfer was never configured, or the alternate setting of its interface is being changed. The method also throws
    /// this exception if a log handler calls it.
    /// </exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    /// <exception cref="ObjectDisposedException">
    /// The method is called outside callbacks, and the transfer, its interface or its device handle is disposed.
    /// </exception>
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
        while (Interlocked.CompareExchange(ref _state, state | InFlight, state) != state); // repeated if the callback has just returned

        // From here on, no other thread submits, configures or frees the transfer. The device handle of the transfer cannot close, because the closing thread
        // waits until the transfer is idle.
        if (state == Idle)
            _root.Target = this;
        if (_stop != 0)
            return Refuse(state);
        if (OperatingSystem.IsWindows())
            RestoreIsoPacketLengths();
        if (awaited is not null) // otherwise _awaited is already null, because each awaited submission resets it at its end
        {
            _awaited = awaited;
            awaited.Begin(cancellationToken);
        }

        int result = libusb.libusb_submit_transfer(_native);

        if (result != 0)
            RollBack(state);
        else if (_stop != 0 || cancellationToken.IsCancellationRequested)
            CancelIfStopped(cancellationToken); // a thread stopped the transfer after the check above, before there was anything to cancel
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

        // A transfer that was submitted again in its callback stays rooted.
        if (Interlocked.CompareExchange(ref _state, InFlight, InCallback | InFlight) != (InCallback | InFlight))
            ComeToRest();
    }

    /// <summary>
    /// Corrects the status of an OUT transfer that libusb divided into several URBs, and that wrote only a part of its data. If a URB fails while libusb is
    /// still submitting the later URBs, the kernel refuses the later URBs. libusb handles this refusal like a short packet, and reports the failed transfer as
    /// completed.
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
            // Clear the root before setting Idle. As soon as the state is Idle, another thread may submit the transfer and set the root again, and this thread
            // must not clear the new root.
            _root.Target = null;
            int state = Interlocked.CompareExchange(ref _state, Idle, InCallback);
            if (state == InCallback)
            {
                AfterRest(releasing: Disposed | Doomed);
                return;
            }

            if (state == (InCallback | Setting))
            {
                // Another thread is configuring the transfer, and sets Idle when it has finished. If that thread has just finished, the exchange below fails
                // and the loop runs again.
                int configured = (Volatile.Read(ref _stop) & Doomed) != 0 ? Setting | DoomedSetting : Setting;
                if (Interlocked.CompareExchange(ref _state, configured, InCallback | Setting) == (InCallback | Setting))
                    return;
                continue;
            }

            // Another thread has just submitted the transfer, so root it again.
            _root.Target = this;
            if (Interlocked.CompareExchange(ref _state, InFlight, InCallback | InFlight) == (InCallback | InFlight))
                return;

            // libusb has refused that submission, and RollBack has left the transfer to this thread.
        }
    }

    // This method does not release a transfer whose handle or interface is closing. The handle or interface releases its transfers only after all of them are
    // out of use, because the callback of one transfer may access the others.
    private void AfterRest(int releasing)
    {
        int stop = Volatile.Read(ref _stop);
        if ((stop & releasing) != 0)
            TryRelease();
        if ((stop & OwnerClosing) != 0)
            _handle.TransferCameToRest();
    }

    /// <summary>Restores the state that the transfer had before a failed submission. No callback follows a failed submission.</summary>
    private void RollBack(int state)
    {
        if (_awaited is { } awaited)
        {
            awaited.EndCancellation();
            _awaited = null;
        }

        // If the transfer was submitted while its callback was running, the thread of the callback sets Idle when the callback returns.
        if (state == InCallback && Interlocked.CompareExchange(ref _state, InCallback, InCallback | InFlight) == (InCallback | InFlight))
            return;

        _root.Target = null;
        Interlocked.Exchange(ref _state, Idle); // a full fence: a thread that stops the transfer sets _stop first, and then reads _state
        AfterRest(releasing: Disposed); // a doomed transfer that did not run is kept, so that its results can be read
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private UsbError Refuse(int state)
    {
        int stop = _stop;
        RollBack(state);
        if (stop == Stale)
            return UsbError.NotFound; // libusb on Linux would return this error too; SubmitFailure has the details
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

    /// <summary>
    /// Returns whether the library refuses a call silently instead of throwing an exception. This is the case if a callback makes the call after the program
    /// has begun to dispose the transfer, its interface or its handle. Such a call is not an error, because the callback cannot know that another thread has
    /// just begun to dispose one of these objects.
    /// </summary>
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
        lock (_freeing) // the transfer is not in flight, so another thread may release it
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
