using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Provides hints for cases in which libusb's error code alone would mislead the user. A hint is created only after an operation has failed.
/// </summary>
internal static class ErrorHint
{
    /// <summary>The folder in which libusb looks for device nodes.</summary>
    private const string BusFolder = "/dev/bus/usb";

    /// <summary>Returns the hint for a system without a USB bus. libusb reports <see cref="UsbError.Other"/> on such a system.</summary>
    public static string? ForContext(UsbError error) =>
        error == UsbError.Other && OperatingSystem.IsLinux() && !HasBusFolder()
            ? $"{BusFolder} does not exist or is empty, so this process sees no USB bus. In a container, start it with '--device {BusFolder}' or mount " +
              $"{BusFolder} into it; on a machine without USB there is nothing to open."
            : null;

    /// <summary>Returns the hint for a missing permission to open a device.</summary>
    public static string? ForOpen(UsbError error, byte bus, byte address, ushort vendor, ushort product)
    {
        if (error != UsbError.Access || !OperatingSystem.IsLinux())
            return null;

        return string.Create(CultureInfo.InvariantCulture,
            $"/dev/bus/usb/{bus:D3}/{address:D3} is not writable for this user. If the device was plugged in a moment ago, udev may still be about to set the permissions: " +
            $"Open(TimeSpan) waits for udev. Otherwise put this line into /etc/udev/rules.d/70-usb.rules, run 'udevadm control --reload', and " +
            $"plug the device in again: {UdevRule(vendor, product)}");
    }

    /// <summary>Returns the udev rule that permits each user who is logged in locally to use the device.</summary>
    public static string UdevRule(ushort vendor, ushort product) => string.Create(CultureInfo.InvariantCulture,
        $"SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{vendor:x4}\", ATTR{{idProduct}}==\"{product:x4}\", MODE=\"0660\", TAG+=\"uaccess\"");

    private static bool HasBusFolder()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(BusFolder).Any();
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true; // the folder exists, so the error has another cause
        }
    }
}
