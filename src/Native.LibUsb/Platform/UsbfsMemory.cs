using System.Globalization;

namespace Native.LibUsb;

/// <summary>Represents the limit that Linux sets for the memory of all USB transfers of all programs together.</summary>
internal static class UsbfsMemory
{
    /// <summary>The file that shows and sets the limit, in MiB; 0 is no limit.</summary>
    public const string File = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    /// <summary>The parameter of the kernel's command line that sets the limit from the start.</summary>
    public const string KernelParameter = "usbcore.usbfs_memory_mb";

    // The approximate cost of each URB in the kernel besides its data; small transfers consist of little else.
    private const int UrbOverhead = 256;
    private const int PacketOverhead = 16;

    /// <summary>Gets the limit in bytes; null when there is none, when it cannot be read, and on other systems.</summary>
    public static long? Limit => OperatingSystem.IsLinux() ? ReadLimit(File) : null;

    /// <summary>Returns the limit that a file contains, in bytes; null when it is 0, and when the file cannot be read.</summary>
    public static long? ReadLimit(string path)
    {
        try
        {
            return Parse(System.IO.File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Returns the limit in bytes; null when the text is 0 or no number.</summary>
    public static long? Parse(string text) =>
        uint.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out uint megabytes) && megabytes > 0 ? (long)megabytes << 20 : null;

    /// <summary>Returns the part of a limit that one ring takes by default: half of it, because other devices need some too.</summary>
    public static long ShareOf(long limit) => limit / 2;

    /// <summary>Returns what one transfer counts against the limit, in bytes.</summary>
    public static long CostOf(long transferSize, int packets) => transferSize + UrbOverhead + ((long)packets * PacketOverhead);

    /// <summary>Returns the MiB that the limit must be for so many bytes in flight.</summary>
    public static long MegabytesFor(long bytes) => (bytes + (1 << 20) - 1) >> 20;

    /// <summary>Returns a sentence that says how to raise the limit so that so many bytes fit.</summary>
    public static string HowToRaise(long bytes)
    {
        long megabytes = MegabytesFor(bytes);
        return string.Create(CultureInfo.InvariantCulture,
            $"To raise the limit, write {megabytes} or more to {File} as root (other devices that stream need memory too), or start the kernel with " +
            $"{KernelParameter}={megabytes}.");
    }
}
