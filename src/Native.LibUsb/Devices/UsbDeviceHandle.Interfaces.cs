using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Configurations, interfaces, and the kernel's drivers on them.
public sealed unsafe partial class UsbDeviceHandle
{
    private const int MaxInterfaces = 32; // libusb keeps claims in a 32-bit set

    // Interfaces claimed through this handle, one bit each, so that closing releases what the program did not.
    private int _claims;

    /// <summary>
    /// Claims an interface (<c>libusb_claim_interface</c>), which is needed before its endpoints are used. Nothing is sent to the device.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <returns>The claim; dispose it to release the interface.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Busy"/>: another program or a kernel driver has it (the hint says which). <see cref="UsbError.NotFound"/>: there is
    /// no such interface (on Linux with <see cref="SetAutoDetachKernelDriver"/> that is <see cref="UsbError.InvalidParameter"/>).
    /// <see cref="UsbError.NoDevice"/>: unplugged.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbInterface ClaimInterface(int interfaceNumber)
    {
        UsbError error = TryClaimInterface(interfaceNumber, out UsbInterface? claim);
        if (error != UsbError.Success)
        {
            bool isKernelDriver = TryGetKernelDriver(interfaceNumber, out string? driver);
            UsbException.Throw(error, $"claim interface {interfaceNumber} of {Device}", hint: ErrorHint.ForClaim(error, isKernelDriver, driver));
        }

        return claim!;
    }

    /// <summary>As <see cref="ClaimInterface"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="claim">The claim; null when there is none.</param>
    /// <returns><see cref="UsbError.Success"/>, or why there is none.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryClaimInterface(int interfaceNumber, out UsbInterface? claim)
    {
        claim = null;
        CheckInterfaceNumber(interfaceNumber);
        using HandleLease lease = Lease();
        int result = libusb.libusb_claim_interface(_native.Pointer, interfaceNumber);
        if (result != 0)
            return (UsbError)result;
        Interlocked.Or(ref _claims, 1 << interfaceNumber);
        claim = new UsbInterface(this, interfaceNumber);
        return UsbError.Success;
    }

    /// <summary>
    /// Chooses an alternate setting of a claimed interface (<c>libusb_set_interface_alt_setting</c>). Transfers on the interface's endpoints
    /// must be at rest: on Linux, those that this ends are told <see cref="UsbTransferStatus.Completed"/> with what they have, which may be nothing.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>, 0 to 255.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the interface is not claimed or has no such setting. <see cref="UsbError.NoDevice"/>: unplugged.
    /// <see cref="UsbError.IO"/>: on a real bus, often no bandwidth is left for it.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void SetAlternateSetting(int interfaceNumber, int alternateSetting)
    {
        CheckInterfaceNumber(interfaceNumber);
        ArgumentOutOfRangeException.ThrowIfNegative(alternateSetting);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alternateSetting, byte.MaxValue);
        string operation = $"choose alternate setting {alternateSetting} of interface {interfaceNumber}";
        CallbackScope.ThrowIfInside(Context, operation);
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(
            libusb.libusb_set_interface_alt_setting(_native.Pointer, interfaceNumber, alternateSetting), operation);
    }

    /// <summary>The <c>bConfigurationValue</c> that is set now (<c>libusb_get_configuration</c>); 0 when the device is not configured.</summary>
    /// <exception cref="UsbException"><see cref="UsbError.NoDevice"/>: unplugged.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
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
    /// Sets a configuration (<c>libusb_set_configuration</c>). Setting the one that is set already resets the device lightly. No interface
    /// may be claimed, by anybody.
    /// </summary>
    /// <param name="value"><c>bConfigurationValue</c>; -1 leaves the device not configured.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such configuration. <see cref="UsbError.Busy"/>: an interface is claimed.
    /// <see cref="UsbError.NoDevice"/>: unplugged.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The value is not -1 to 255.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void SetConfiguration(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, -1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, byte.MaxValue);
        CallbackScope.ThrowIfInside(Context, "set a configuration");
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(libusb.libusb_set_configuration(_native.Pointer, value), $"set configuration {value}");
    }

    /// <summary>Ends a halt of an endpoint (<c>libusb_clear_halt</c>): what to do after <see cref="UsbTransferStatus.Stall"/>.</summary>
    /// <param name="endpoint">The endpoint's address, with its direction bit. No transfer may be in flight on it.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: no such endpoint. <see cref="UsbError.NoDevice"/>: unplugged.</exception>
    /// <exception cref="ArgumentOutOfRangeException">That is no endpoint address.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void ClearHalt(byte endpoint)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        CallbackScope.ThrowIfInside(Context, "clear a halt");
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(libusb.libusb_clear_halt(_native.Pointer, endpoint), $"clear the halt of endpoint 0x{endpoint:x2}");
    }

    /// <summary>Resets the device on its port (<c>libusb_reset_device</c>). Claims and settings are restored where possible.</summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: it came back as another device (firmware was loaded, say); dispose this handle and find it again.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void Reset()
    {
        CallbackScope.ThrowIfInside(Context, "reset a device");
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(libusb.libusb_reset_device(_native.Pointer), $"reset {Device}");
    }

    /// <summary>Whether a kernel driver holds an interface (<c>libusb_kernel_driver_active</c>). Linux and macOS.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/> on Windows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public bool IsKernelDriverActive(int interfaceNumber)
    {
        CheckInterfaceNumber(interfaceNumber);
        using HandleLease lease = Lease();
        return UsbException.ThrowIfError(
            libusb.libusb_kernel_driver_active(_native.Pointer, interfaceNumber), $"ask for the kernel driver of interface {interfaceNumber}") == 1;
    }

    /// <summary>
    /// As <see cref="IsKernelDriverActive"/>, but never throws for what the system or the device does, and names the driver.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="name">The driver's name; null when none holds the interface, or the system does not say: only Linux does.</param>
    /// <returns>Whether a kernel driver holds the interface. A program that claimed it is none.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public bool TryGetKernelDriver(int interfaceNumber, out string? name)
    {
        CheckInterfaceNumber(interfaceNumber);
        name = null;
        using HandleLease lease = Lease();
        if (libusb.libusb_kernel_driver_active(_native.Pointer, interfaceNumber) != 1)
            return false;
        if (OperatingSystem.IsLinux())
            name = DriverInSysfs(interfaceNumber);
        return true;
    }

    /// <summary>Takes an interface from its kernel driver (<c>libusb_detach_kernel_driver</c>). Linux and macOS.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: no driver holds it. <see cref="UsbError.NotSupported"/> on Windows.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void DetachKernelDriver(int interfaceNumber)
    {
        CheckInterfaceNumber(interfaceNumber);
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(
            libusb.libusb_detach_kernel_driver(_native.Pointer, interfaceNumber), $"detach the kernel driver of interface {interfaceNumber}");
    }

    /// <summary>Gives an interface back to its kernel driver (<c>libusb_attach_kernel_driver</c>). Linux and macOS.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: none was detached. <see cref="UsbError.Busy"/>: the interface is claimed.
    /// <see cref="UsbError.NotSupported"/> on Windows.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void AttachKernelDriver(int interfaceNumber)
    {
        CheckInterfaceNumber(interfaceNumber);
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(
            libusb.libusb_attach_kernel_driver(_native.Pointer, interfaceNumber), $"attach the kernel driver of interface {interfaceNumber}");
    }

    /// <summary>
    /// Takes interfaces from their kernel driver when they are claimed, and gives them back when they are released
    /// (<c>libusb_set_auto_detach_kernel_driver</c>). Linux and macOS.
    /// </summary>
    /// <param name="enable">On or off.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/> on Windows.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void SetAutoDetachKernelDriver(bool enable)
    {
        using HandleLease lease = Lease();
        UsbException.ThrowIfError(
            libusb.libusb_set_auto_detach_kernel_driver(_native.Pointer, enable ? 1 : 0), "detach kernel drivers automatically");
    }

    /// <summary>Releases one interface, for its claim. One that is gone, with the device or the handle, is released.</summary>
    internal void ReleaseClaim(int interfaceNumber)
    {
        int bit = 1 << interfaceNumber;
        if ((Interlocked.And(ref _claims, ~bit) & bit) == 0 || _native.IsClosed)
            return;
        try
        {
            using var lease = new HandleLease(_native);
            _ = libusb.libusb_release_interface(_native.Pointer, interfaceNumber);
        }
        catch (ObjectDisposedException)
        {
            // closed meanwhile, which released it
        }
    }

    private static void CheckInterfaceNumber(int interfaceNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceNumber);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(interfaceNumber, MaxInterfaces);
    }

    private void ReleaseAllClaims()
    {
        for (int number = 0; number < MaxInterfaces; number++)
        {
            if ((Volatile.Read(ref _claims) & (1 << number)) != 0)
                ReleaseClaim(number);
        }
    }

    /// <summary>The native handle for one call; refused as soon as closing has begun.</summary>
    private HandleLease Lease()
    {
        ObjectDisposedException.ThrowIf(_transfers.IsClosed, this);
        return new HandleLease(_native);
    }

    // libusb says that there is a driver, and the kernel's own folders say which.
    private string? DriverInSysfs(int interfaceNumber)
    {
        try
        {
            string link = string.Create(CultureInfo.InvariantCulture,
                $"/sys/bus/usb/devices/{Device.PortPath}:{Device.GetActiveConfigurationDescriptor().Value}.{interfaceNumber}/driver");
            return Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        }
        catch (Exception e) when (e is UsbException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
