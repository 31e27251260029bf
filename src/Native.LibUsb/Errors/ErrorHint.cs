using System.Globalization;

namespace Native.LibUsb;

/// <summary>Says where to look when libusb's code alone would mislead. Only made when something has already failed.</summary>
internal static class ErrorHint
{
    /// <summary>Where the kernel tells how much memory all transfers in flight may use together, in MiB; 0 is no limit.</summary>
    private const string UsbfsMemoryFile = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    /// <summary>Where libusb looks for the nodes of devices.</summary>
    private const string BusFolder = "/dev/bus/usb";

    // Limits of Linux's usbfs. What is not divided into pages is one block of the kernel's allocator.
    private const int MostControlBytes = 4096;
    private const int MostPacketBytes = 49_152;
    private const int MostContiguousBytes = 4 << 20;

    /// <summary>The system has no USB bus, which libusb reports as "other" error.</summary>
    public static string? ForContext(UsbError error) =>
        error == UsbError.Other && OperatingSystem.IsLinux() && !HasBusFolder()
            ? $"{BusFolder} does not exist or is empty, so this process sees no USB bus. In a container, start it with '--device {BusFolder}' or mount " +
              $"{BusFolder} into it; on a machine without USB there is nothing to open."
            : null;

    /// <summary>No permission to open a device.</summary>
    public static string? ForOpen(UsbError error, byte bus, byte address, ushort vendor, ushort product)
    {
        if (error != UsbError.Access || !OperatingSystem.IsLinux())
            return null;

        return string.Create(CultureInfo.InvariantCulture,
            $"/dev/bus/usb/{bus:D3}/{address:D3} is not writable for this user. If it was plugged in a moment ago, udev may not be done with it: " +
            $"Open(TimeSpan) waits for that. Otherwise put this line into /etc/udev/rules.d/70-usb.rules, run 'udevadm control --reload', and " +
            $"plug the device in again: {UdevRule(vendor, product)}");
    }

    /// <summary>The interface is held by somebody else, or is not there.</summary>
    /// <param name="error">What libusb answered.</param>
    /// <param name="isKernelDriver">Whether a kernel driver holds it.</param>
    /// <param name="driver">The driver's name, when it is known.</param>
    public static string? ForClaim(UsbError error, bool isKernelDriver, string? driver)
    {
        if (error == UsbError.InvalidParameter && OperatingSystem.IsLinux()) // what libusb says when it is to detach the driver as well
            return "There is no such interface in the configuration that is set.";
        if (error != UsbError.Busy)
            return null;
        return isKernelDriver
            ? $"The kernel driver{(driver is null ? "" : $" '{driver}'")} holds the interface: detach it (DetachKernelDriver or SetAutoDetachKernelDriver)."
            : "Another program has claimed the interface.";
    }

    /// <summary>
    /// The kernel had no memory for a transfer; for isochronous and control transfers libusb calls that an I/O error. Or it was too large in
    /// another way.
    /// </summary>
    /// <param name="error">What libusb answered.</param>
    /// <param name="type">What kind of transfer.</param>
    /// <param name="length">Bytes of the largest piece that the kernel takes at once; of a control transfer, its data.</param>
    /// <param name="packetLength">Bytes of the longest isochronous packet.</param>
    public static string? ForSubmit(UsbError error, UsbTransferType type, int length, int packetLength = 0)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        if (error == UsbError.InvalidParameter)
        {
            return type == UsbTransferType.Control && length > MostControlBytes
                ? "Linux moves at most 4,096 bytes in one control transfer."
                : packetLength > MostPacketBytes
                ? "Linux moves at most 98,304 bytes in one isochronous packet, and 49,152 before version 5.2."
                : null;
        }

        bool memory = error == UsbError.NoMemory
            || (error == UsbError.IO && type is UsbTransferType.Isochronous or UsbTransferType.Control);
        if (!memory)
            return null;
        if (length > MostContiguousBytes && type is UsbTransferType.Isochronous or UsbTransferType.Interrupt)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"The kernel would need {length:N0} bytes in one piece, and has at most {MostContiguousBytes:N0}: make the transfer smaller (of an " +
                $"isochronous one, 128 packets go together). Device memory (AllocateBuffer) can be longer only behind an IOMMU.");
        }

        string limit = UsbfsMemoryMegabytes() is { } megabytes
            ? string.Create(CultureInfo.InvariantCulture, $" ({megabytes} MiB now)")
            : "";
        string setting = error == UsbError.IO && type == UsbTransferType.Isochronous
            ? " Or the endpoint is not in the alternate setting that is chosen (SetAlternateSetting)."
            : "";
        return $"Often the kernel's limit for all transfers in flight together{limit}: submit fewer or smaller transfers, or raise " +
            $"{UsbfsMemoryFile}.{setting}";
    }

    /// <summary>The rule that lets everybody at the seat use the device.</summary>
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
            return true; // it is there, and something else is wrong
        }
    }

    private static int? UsbfsMemoryMegabytes()
    {
        try
        {
            return int.TryParse(File.ReadAllText(UsbfsMemoryFile), NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // a hint without the number is still a hint
        }
    }
}
