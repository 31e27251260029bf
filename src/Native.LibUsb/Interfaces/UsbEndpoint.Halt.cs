namespace Native.LibUsb;

// The methods that end a halt.
public sealed partial class UsbEndpoint
{
    /// <summary>
    /// Ends the halt of the endpoint (<c>libusb_clear_halt</c>). An endpoint is halted after a transfer has failed with <see cref="UsbError.Pipe"/>. The method
    /// also resets the endpoint's data toggle, even if the endpoint is not halted. The caller must ensure that no transfer is in flight on the endpoint,
    /// because neither the library nor libusb checks for such transfers.
    /// </summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the device has no such endpoint. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale, or the method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public void ClearHalt()
    {
        UsbError error = TryClearHalt();
        if (error != UsbError.Success)
            throw HaltFailure(error);
    }

    /// <summary>Ends the halt as <see cref="ClearHalt"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ClearHalt"/>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryClearHalt()
    {
        CheckUsable();
        return Handle.TryClearHalt(Address);
    }

    /// <summary>
    /// Ends the halt as <see cref="ClearHalt"/> does, but does not block the calling thread (<c>libusb_clear_halt</c>). A callback may call this method. Await
    /// the result before the next read or write.
    /// </summary>
    /// <remarks>
    /// A thread of the thread pool calls libusb's function, which waits until the device has answered. This method allocates memory. No operating system lets a
    /// program cancel the request or set a time limit for it. Linux ends the request after at most 5 seconds. On Linux, all other calls for the same device,
    /// including calls that submit transfers or handle events, wait in the kernel until the request has ended.
    /// </remarks>
    /// <returns>A task that completes when the device has answered. Await the result once.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the device has no such endpoint. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.Other"/>: the device did not answer.
    /// </exception>
    /// <exception cref="UsbTransferCanceledException">The interface or the handle was disposed before the request began.</exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale, or the method is called from a log handler.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public ValueTask ClearHaltAsync() => ThrowHaltFailureAsync(TryClearHaltAsync());

    /// <summary>Ends the halt as <see cref="ClearHaltAsync"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ClearHaltAsync"/>
    /// <returns>
    /// A task whose result is <see cref="UsbError.Success"/> or the error. <see cref="UsbError.Closed"/> means that the interface or the handle was disposed
    /// before the request began. Await the task once.
    /// </returns>
    public ValueTask<UsbError> TryClearHaltAsync()
    {
        LogScope.ThrowIfInside();
        try
        {
            CheckUsable();
        }
        catch (ObjectDisposedException) when (Interface.IsClosingInCallback)
        {
            return new ValueTask<UsbError>(UsbError.Closed); // a callback cannot detect in time that the interface or the handle is closing
        }

        return new ValueTask<UsbError>(Task.Run(ClearHaltUnlessClosed));
    }

    private UsbError ClearHaltUnlessClosed()
    {
        try
        {
            return TryClearHalt();
        }
        catch (ObjectDisposedException)
        {
            return UsbError.Closed;
        }
    }

    private async ValueTask ThrowHaltFailureAsync(ValueTask<UsbError> clearing)
    {
        UsbError error = await clearing.ConfigureAwait(false);
        if (error == UsbError.Closed)
            throw new UsbTransferCanceledException($"The halt of endpoint 0x{Address:x2} was not cleared, because the interface or the device handle was disposed.", 0);
        if (error != UsbError.Success)
            throw HaltFailure(error);
    }

    private UsbException HaltFailure(UsbError error) => new(error, $"clear the halt of endpoint 0x{Address:x2}");
}
