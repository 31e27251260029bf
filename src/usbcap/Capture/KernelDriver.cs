using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>Which kernel driver holds an interface.</summary>
internal static class KernelDriver
{
    /// <summary>What to call it; null when none does. usbfs is no driver of its own: it stands for a program.</summary>
    public static string? NameOf(UsbDeviceHandle handle, int configuration, int interfaceNumber)
    {
        try
        {
            if (!handle.IsKernelDriverActive(interfaceNumber))
                return null;
        }
        catch (UsbException)
        {
            return null; // Windows has no such drivers, and does not say
        }

        return FromSysfs(handle.Device, configuration, interfaceNumber) is { } name ? $"the kernel driver '{name}'" : "a kernel driver";
    }

    private static string? FromSysfs(UsbDevice device, int configuration, int interfaceNumber)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        string link = string.Create(CultureInfo.InvariantCulture, $"/sys/bus/usb/devices/{device.PortPath}:{configuration}.{interfaceNumber}/driver");
        try
        {
            return Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
