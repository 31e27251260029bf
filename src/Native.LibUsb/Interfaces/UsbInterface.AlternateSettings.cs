namespace Native.LibUsb;

// The methods that activate an alternate setting.
public sealed partial class UsbInterface
{
    /// <summary>
    /// Activates an alternate setting (<c>libusb_set_interface_alt_setting</c>). Existing endpoint objects of the interface become stale, even if the setting
    /// was already active. During the call, reads, writes and submissions on the interface's endpoints throw an exception.
    /// </summary>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>, 0 to 255.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the interface has no such setting. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.IO"/>: the request failed, often because the bus does not have enough bandwidth for the setting.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// A ring, a transfer, a read or a write is active on an endpoint of the interface. The message names the endpoint. The method also throws this exception
    /// if a callback of this context calls the method.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public void SetAlternateSetting(int alternateSetting)
    {
        UsbError error = TrySetAlternateSetting(alternateSetting);
        if (error != UsbError.Success)
            throw SettingFailure(error, alternateSetting);
    }

    /// <summary>Activates an alternate setting as <see cref="SetAlternateSetting"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="SetAlternateSetting"/>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TrySetAlternateSetting(int alternateSetting)
    {
        CheckSetting(alternateSetting);
        CheckOpen();
        CallbackScope.ThrowIfInside(Handle.Context.NativeHandle, "activate an alternate setting");
        UsbError error = Handle.Claims.TrySetAlternateSetting(this, alternateSetting, out byte? busy);
        if (busy is { } endpoint)
            throw BusyFailure(alternateSetting, endpoint);
        if (error == UsbError.Success)
            DropStaleEndpoints();
        return error;
    }

    /// <summary>
    /// Activates an alternate setting as <see cref="SetAlternateSetting"/> does, but does not block the calling thread
    /// (<c>libusb_set_interface_alt_setting</c>). A callback may call this method. Await the result before the next use of the interface's endpoints.
    /// </summary>
    /// <remarks>
    /// A thread of the thread pool calls libusb's function, which waits until the device has answered. This method allocates memory.
    /// No operating system lets a program cancel the request or set a timeout for the request. Linux itself ends the request after at most 5 seconds. Until the
    /// request ends, the library blocks these operations on the same handle: reading <see cref="ActiveSetting"/> or <see cref="Endpoints"/>, and claiming or
    /// disposing an interface. On Linux, the kernel also blocks all other calls for the device, including calls that submit transfers or handle events.
    /// </remarks>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>, 0 to 255.</param>
    /// <returns>A task that completes when the setting is active. Await the result once.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the interface has no such setting. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.IO"/>: the request failed, often because the bus does not have enough bandwidth for the setting.
    /// </exception>
    /// <exception cref="UsbTransferCanceledException">The interface or the handle was disposed before the request began.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// A ring, a transfer, a read or a write is active on an endpoint of the interface. The library checks for such activity during the call, and again when
    /// the request begins. The message names the endpoint. The method also throws this exception if a log handler calls the method.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public ValueTask SetAlternateSettingAsync(int alternateSetting) =>
        ThrowSettingFailureAsync(TrySetAlternateSettingAsync(alternateSetting), alternateSetting);

    /// <summary>Activates an alternate setting as <see cref="SetAlternateSettingAsync"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="SetAlternateSettingAsync"/>
    /// <returns>
    /// A task whose result is <see cref="UsbError.Success"/> or the error. The error <see cref="UsbError.Closed"/> means that the interface or the handle was
    /// disposed before the request began. Await the task once.
    /// </returns>
    public ValueTask<UsbError> TrySetAlternateSettingAsync(int alternateSetting)
    {
        CheckSetting(alternateSetting);
        LogScope.ThrowIfInside();
        try
        {
            CheckOpen();
        }
        catch (ObjectDisposedException) when (IsClosingInCallback)
        {
            return new ValueTask<UsbError>(UsbError.Closed); // a callback cannot detect in time that the interface or the handle is closing
        }

        if (Handle.FindActiveEndpoint(_claimed) is { } busy) // the thread of the pool checks again, because a stream may begin before the request
            throw BusyFailure(alternateSetting, busy);
        return new ValueTask<UsbError>(Task.Run(() => SetUnlessClosed(alternateSetting)));
    }

    private UsbError SetUnlessClosed(int alternateSetting)
    {
        try
        {
            return TrySetAlternateSetting(alternateSetting);
        }
        catch (ObjectDisposedException)
        {
            return UsbError.Closed;
        }
    }

    private async ValueTask ThrowSettingFailureAsync(ValueTask<UsbError> setting, int alternateSetting)
    {
        UsbError error = await setting.ConfigureAwait(false);
        if (error == UsbError.Closed)
        {
            throw new UsbTransferCanceledException(
                $"Alternate setting {alternateSetting} of interface {Number} was not activated, because the interface or the device handle was disposed.", 0);
        }

        if (error != UsbError.Success)
            throw SettingFailure(error, alternateSetting);
    }

    private static void CheckSetting(int alternateSetting)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(alternateSetting);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alternateSetting, byte.MaxValue);
    }

    private UsbException SettingFailure(UsbError error, int alternateSetting) => new(
        error, $"activate alternate setting {alternateSetting} of interface {Number}", hint: error == UsbError.NotFound && AlternateSettings.Count > 0
            ? $"Alternate settings of interface {Number}: {string.Join(", ", AlternateSettings.Select(static setting => setting.Number))}." : null);

    private InvalidOperationException BusyFailure(int alternateSetting, byte busy) => new(
        $"Alternate setting {alternateSetting} of interface {Number} cannot be activated while " + (Handle.IsOnlyEnding(_claimed)
            ? $"a disposed transfer on endpoint 0x{busy:x2} is still ending: await DisposeAsync, or handle events."
            : $"a ring, a transfer or a call on endpoint 0x{busy:x2} is active: stop it first."));

    // Another thread may already have created the endpoints of the new setting. This method does not drop those.
    private void DropStaleEndpoints()
    {
        EndpointList? known = Volatile.Read(ref _endpoints);
        if (known is not null && known.Generation != _claimed.Generation && Interlocked.CompareExchange(ref _endpoints, null, known) == known)
            known.DropTransfers();
    }
}
