using System.Globalization;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Reads the kernel's information about devices and their drivers from sysfs.</summary>
public static class Sysfs
{
    private const string Devices = "/sys/bus/usb/devices";

    public static string FolderOf(UsbDevice device) => $"{Devices}/{device.PortPath}";

    /// <summary>Determines whether a device is configured. The kernel creates the interfaces of a device when it configures the device.</summary>
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

    /// <summary>Gets the driver of an interface; null if the interface has no driver.</summary>
    public static string? DriverOf(UsbDevice device, int interfaceNumber)
    {
        string link = string.Create(CultureInfo.InvariantCulture, $"{FolderOf(device)}/{device.PortPath}:1.{interfaceNumber}/driver");
        try
        {
            return Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        }
        catch (IOException)
        {
            return null; // the link exists only while a driver is bound to the interface
        }
    }

    public static void WaitForDriver(UsbDevice device, int interfaceNumber, string driver) =>
        Machine.WaitUntil(() => DriverOf(device, interfaceNumber) == driver, $"the driver {driver} has interface {interfaceNumber} of {device}");

    /// <summary>
    /// Determines whether a bus belongs to a PCI controller. QEMU's xHCI controller is a PCI controller. The controllers of the kernel modules vhci_hcd and
    /// dummy_hcd are not PCI controllers.
    /// </summary>
    public static bool IsOnPci(byte bus) =>
        new DirectoryInfo(string.Create(CultureInfo.InvariantCulture, $"{Devices}/usb{bus}")).ResolveLinkTarget(returnFinalTarget: false)
            ?.FullName.Contains("/pci", StringComparison.Ordinal) == true;
}
