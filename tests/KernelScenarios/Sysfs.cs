using System.Globalization;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Reads the kernel's own information about devices and their drivers.</summary>
public static class Sysfs
{
    private const string Devices = "/sys/bus/usb/devices";

    public static string FolderOf(UsbDevice device) => $"{Devices}/{device.PortPath}";

    /// <summary>Returns whether a configuration is set; the interfaces exist then.</summary>
    public static bool IsConfigured(UsbDevice device)
    {
        try
        {
            return File.ReadAllText($"{FolderOf(device)}/bConfigurationValue").Trim().Length > 0;
        }
        catch (IOException)
        {
            return false; // the device has left, or has not arrived yet
        }
    }

    /// <summary>Gets the driver of an interface; null when it has none.</summary>
    public static string? DriverOf(UsbDevice device, int interfaceNumber)
    {
        string link = string.Create(CultureInfo.InvariantCulture, $"{FolderOf(device)}/{device.PortPath}:1.{interfaceNumber}/driver");
        try
        {
            return Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        }
        catch (IOException)
        {
            return null; // the link exists only while a driver has the interface
        }
    }

    public static void WaitForDriver(UsbDevice device, int interfaceNumber, string driver) =>
        Machine.WaitUntil(() => DriverOf(device, interfaceNumber) == driver, $"the driver {driver} has interface {interfaceNumber} of {device}");

    /// <summary>Returns whether a bus is on a PCI controller: QEMU's xHCI is, and the kernel's own vhci_hcd and dummy_hcd are not.</summary>
    public static bool IsOnPci(byte bus) =>
        new DirectoryInfo(string.Create(CultureInfo.InvariantCulture, $"{Devices}/usb{bus}")).ResolveLinkTarget(returnFinalTarget: false)
            ?.FullName.Contains("/pci", StringComparison.Ordinal) == true;
}
