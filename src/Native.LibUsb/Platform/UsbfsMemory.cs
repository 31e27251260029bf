using System.Globalization;

namespace Native.LibUsb.Streaming;

/// <summary>What Linux allows all USB transfers of all programs together.</summary>
internal static class UsbfsMemory
{
    public const string File = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    /// <summary>In bytes; null when there is no limit, or it cannot be read.</summary>
    public static long? Limit
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return null;
            try
            {
                return int.TryParse(System.IO.File.ReadAllText(File), NumberStyles.Integer, CultureInfo.InvariantCulture, out int megabytes) && megabytes > 0
                    ? (long)megabytes << 20
                    : null;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
