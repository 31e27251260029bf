using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>Which kernel driver holds an interface.</summary>
internal static class KernelDriver
{
    /// <summary>Its name; null when none does, or the system does not say. usbfs is no driver of its own: it stands for a program.</summary>
    public static string? NameOf(UsbDevice device, int configuration, int interfaceNumber)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        string link = string.Create(CultureInfo.InvariantCulture, $"/sys/bus/usb/devices/{device.PortPath}:{configuration}.{interfaceNumber}/driver");
        try
        {
            string? name = Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
            return name == "usbfs" ? null : name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
