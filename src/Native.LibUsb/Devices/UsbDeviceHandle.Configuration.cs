using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods that change the device's configuration and that reset the device.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>Gets the <c>bConfigurationValue</c> of the active configuration (<c>libusb_get_configuration</c>); 0 if the device is not configured.</summary>
    /// <exception cref="UsbException"><see cref="UsbError.NoDevice"/>: the device was unplugged.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int GetConfiguration()
    {
        int value;
        using HandleLease lease = Lease();
        using (Context.EnterSynchronous("read the configuration"))
            UsbException.ThrowIfError(libusb.libusb_get_configuration(_native.Pointer, &value), "read the configuration");
        Context.RunDeferred();
        return value;
    }

    /// <summary>
    /// Sets a configuration (<c>libusb_set_configuration</c>). If the configuration is already active, the call performs a lightweight reset of the device.
    /// The call fails if a program or a kernel driver has claimed an interface. Existing endpoint objects become stale.
    /// </summary>
    /// <param name="value"><c>bConfigurationValue</c>; with -1, the device becomes unconfigured.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the device does not have this configuration. <see cref="UsbError.Busy"/>: an interface is claimed; the hint names the
    /// interface and the driver or program that claimed it. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than -1, or more than 255.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void SetConfiguration(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, -1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, byte.MaxValue);
        CallbackScope.ThrowIfInside(Context.NativeHandle, "set a configuration");
        using HandleLease lease = Lease();
        int result = libusb.libusb_set_configuration(_native.Pointer, value);
        if (result != 0)
            UsbException.Throw((UsbError)result, $"set configuration {value} of {Device}", hint: (UsbError)result == UsbError.Busy ? Claims.HolderOfConfiguration() : null);
        Claims.BeginGeneration();
    }

    /// <summary>
    /// Resets the device on its port (<c>libusb_reset_device</c>). libusb restores claims and alternate settings if possible. Existing endpoint objects become
    /// stale. The method cancels the transfers and awaited calls that are in flight on endpoints other than endpoint 0. If another thread is reading or writing
    /// synchronously on such an endpoint, the call of that thread throws <see cref="InvalidOperationException"/>. A read that has already received data returns
    /// this data instead. Rings fail with <see cref="UsbError.NoDevice"/>. Dispose these rings, get new endpoint objects from the interface, and create new
    /// rings with these objects.
    /// </summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: after the reset, the device reports different descriptors, for example because it has loaded firmware. Dispose this
    /// handle, and find the device again.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void Reset()
    {
        CallbackScope.ThrowIfInside(Context.NativeHandle, "reset a device");
        using HandleLease lease = Lease();
        ClaimedInterface[] claimed = Claims.BeginReset();
        int result = (int)UsbError.Other;
        try
        {
            CancelForReset();
            result = libusb.libusb_reset_device(_native.Pointer);
        }
        finally
        {
            Claims.EndReset(claimed, wasReset: result == 0);
        }

        UsbException.ThrowIfError(result, $"reset {Device}");
    }

    // During a reset, libusb releases the interfaces and claims them again. If a ring submitted a transfer between the release and the claim, the kernel would
    // claim the interface for that transfer, and libusb could not claim the interface again. Therefore, this method stops the rings before the reset. It also
    // cancels the other transfers, except those on endpoint 0, because libusb would report an unplugged device for each transfer that is still in flight.
    private void CancelForReset()
    {
        StopEndpointUsers(static user => user.IsActive, UsbError.NoDevice);
        int rings = EndpointsWithUser();
        foreach (UsbTransfer transfer in TransfersOn(endpoint => UsbEndpointAddress.Number(endpoint) != 0 && (InterfaceClaims.Bit(endpoint) & rings) == 0))
            transfer.TryCancel();
    }
}
