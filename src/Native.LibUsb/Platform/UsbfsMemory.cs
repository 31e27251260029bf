using System.Globalization;

namespace Native.LibUsb;

/// <summary>Represents the memory limit that Linux sets for the USB transfers of all programs together.</summary>
internal static class UsbfsMemory
{
    /// <summary>The file that shows and sets the limit, in MiB; 0 is no limit.</summary>
    public const string File = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    /// <summary>The parameter of the kernel's command line that sets the limit from the start.</summary>
    public const string KernelParameter = "usbcore.usbfs_memory_mb";

    // The approximate number of bytes that the kernel needs for each URB in addition to the URB's data. For a small transfer, the URB itself needs more memory
    // than the data.
    private const int UrbOverhead = 256;
    private const int PacketOverhead = 16;

    /// <summary>
    /// Gets the memory limit in bytes. The value is null if there is no limit, if <see cref="File"/> cannot be read, or if the system is not Linux.
    /// </summary>
    public static long? Limit => OperatingSystem.IsLinux() ? ReadLimit(File) : null;

    /// <summary>Returns the limit that a file contains, in bytes; null if the file contains 0 or cannot be read.</summary>
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

    /// <summary>Returns the limit in bytes; null if the text is 0 or is not a number.</summary>
    public static long? Parse(string text) =>
        uint.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out uint megabytes) && megabytes > 0 ? (long)megabytes << 20 : null;

    /// <summary>
    /// Returns how many bytes of the memory limit one ring may use by default. The result is half of the limit, because other devices also need memory.
    /// </summary>
    public static long ShareOf(long limit) => limit / 2;

    /// <summary>Returns the number of bytes by which one transfer counts against the limit.</summary>
    public static long CostOf(long transferSize, int packets) => transferSize + UrbOverhead + ((long)packets * PacketOverhead);

    /// <summary>Returns the smallest limit, in MiB, that allows a number of bytes in flight.</summary>
    public static long MegabytesFor(long bytes) => (bytes + (1 << 20) - 1) >> 20;

    /// <summary>
    /// Returns a sentence for the user. The sentence explains how to raise the memory limit so that the given number of bytes can be in flight.
    /// </summary>
    public static string HowToRaise(long bytes)
    {
        long megabytes = MegabytesFor(bytes);
        return string.Create(CultureInfo.InvariantCulture,
            $"To raise the limit, write {megabytes} or more to {File} as root (other devices that stream need memory too), or start the kernel with " +
            $"{KernelParameter}={megabytes}.");
    }
}
