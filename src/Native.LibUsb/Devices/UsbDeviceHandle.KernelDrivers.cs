using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods for kernel drivers that hold interfaces.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>Determines whether a kernel driver holds an interface (<c>libusb_kernel_driver_active</c>). Linux and macOS support this method.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public bool IsKernelDriverActive(int interfaceNumber)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        using HandleLease lease = Lease();
        return UsbException.ThrowIfError(
            libusb.libusb_kernel_driver_active(_native.Pointer, interfaceNumber), $"ask for the kernel driver of interface {interfaceNumber}") == 1;
    }

    /// <summary>
    /// Determines whether a kernel driver holds an interface, as <see cref="IsKernelDriverActive"/> does, and gets the driver's name. The method does not
    /// throw if the system or the device reports an error.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="name">
    /// The driver's name; null if no driver holds the interface, or if the system does not report the name. Only Linux reports the name.
    /// </param>
    /// <returns>Whether a kernel driver holds the interface. The result is false if a program has claimed the interface.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public bool TryGetKernelDriver(int interfaceNumber, out string? name)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        name = null;
        using HandleLease lease = Lease();
        if (libusb.libusb_kernel_driver_active(_native.Pointer, interfaceNumber) != 1)
            return false;
        if (OperatingSystem.IsLinux())
            name = DriverInSysfs(interfaceNumber);
        return true;
    }

    /// <summary>Detaches the kernel driver from an interface (<c>libusb_detach_kernel_driver</c>). Linux and macOS support this method.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: no driver holds the interface. <see cref="UsbError.NotSupported"/>: the system is Windows.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void DetachKernelDriver(int interfaceNumber)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        using HandleLease lease = Lease();
        var error = (UsbError)libusb.libusb_detach_kernel_driver(_native.Pointer, interfaceNumber);
        if (error == UsbError.Success)
            return;
        UsbException.Throw(error, $"detach the kernel driver of interface {interfaceNumber}", hint: error is not (UsbError.NotFound or UsbError.InvalidParameter) ? null
            : Claims.HasInterface(interfaceNumber) ? string.Create(CultureInfo.InvariantCulture, $"No kernel driver holds interface {interfaceNumber}.")
            : Claims.ListInterfaces());
    }

    /// <summary>Attaches the kernel driver to an interface again (<c>libusb_attach_kernel_driver</c>). Linux and macOS support this method.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: no driver was detached. <see cref="UsbError.Busy"/>: the interface is claimed. <see cref="UsbError.NotSupported"/>: the
    /// system is Windows.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void AttachKernelDriver(int interfaceNumber)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        using HandleLease lease = Lease();
        int result = libusb.libusb_attach_kernel_driver(_native.Pointer, interfaceNumber);
        if (result < 0)
        {
            UsbException.Throw(
                (UsbError)result, $"attach the kernel driver of interface {interfaceNumber}", hint: (UsbError)result == UsbError.Busy ? Claims.Holder(interfaceNumber) : null);
        }
    }

    /// <summary>
    /// Sets whether libusb detaches an interface's kernel driver when the interface is claimed, and attaches the driver again when the interface is released
    /// (<c>libusb_set_auto_detach_kernel_driver</c>). Linux and macOS support this method.
    /// </summary>
    /// <param name="enable">True if libusb detaches and attaches drivers automatically.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void SetAutoDetachKernelDriver(bool enable)
    {
        UsbError error = TrySetAutoDetachKernelDriver(enable);
        if (error != UsbError.Success)
            UsbException.Throw(error, "detach kernel drivers automatically");
    }

    /// <summary>
    /// Does the same as <see cref="SetAutoDetachKernelDriver"/>, but returns an error instead of throwing an exception. A program that also runs on Windows can
    /// ignore <see cref="UsbError.NotSupported"/>: on Windows, libusb can only claim interfaces that no other driver holds, so there is no driver to detach.
    /// </summary>
    /// <param name="enable">True if libusb detaches and attaches drivers automatically.</param>
    /// <returns><see cref="UsbError.Success"/>; <see cref="UsbError.NotSupported"/> on Windows.</returns>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TrySetAutoDetachKernelDriver(bool enable)
    {
        using HandleLease lease = Lease();
        return (UsbError)libusb.libusb_set_auto_detach_kernel_driver(_native.Pointer, enable ? 1 : 0);
    }

    // libusb reports only whether there is a driver. The driver's name is in the kernel's sysfs.
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
