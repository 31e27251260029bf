using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The kernel's drivers on the interfaces.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>Returns whether a kernel driver holds an interface (<c>libusb_kernel_driver_active</c>). Linux and macOS.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/> on Windows.</exception>
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
    /// Returns the driver's name as well as the answer of <see cref="IsKernelDriverActive"/>, and never throws for errors of the system or the device.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="name">The driver's name; null when none holds the interface, or the system does not say: only Linux does.</param>
    /// <returns>Whether a kernel driver holds the interface. A program that claimed it is none.</returns>
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

    /// <summary>Takes an interface from its kernel driver (<c>libusb_detach_kernel_driver</c>). Linux and macOS.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: no driver holds it. <see cref="UsbError.NotSupported"/> on Windows.
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
