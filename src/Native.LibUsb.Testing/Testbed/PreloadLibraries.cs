using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>The two libraries that a program must be started with to see a virtual bus: ours, which answers usbfs, and umockdev's.</summary>
internal static class PreloadLibraries
{
    private const string Usbfs = "libnative-libusb-usbfs.so", Umockdev = "libumockdev-preload.so.0";

    // The loaded one first: a program that was started through a loader of its own has its base folder elsewhere.
    private static readonly string? s_usbfsPath = PathOfLoaded(Usbfs) ?? FindUsbfs();

    /// <summary>Whether both are loaded in this process.</summary>
    public static bool AreLoaded => PathOfLoaded(Usbfs) is not null && PathOfLoaded(Umockdev) is not null;

    /// <summary>What to preload. Ours comes first: umockdev's answers the opening of a device node as well.</summary>
    public static string All => $"{s_usbfsPath}:{Umockdev}";

    /// <summary>Why they cannot be preloaded; null when they can.</summary>
    public static string? MissingReason =>
        s_usbfsPath is null ? $"{Usbfs} was not found beside {AppContext.BaseDirectory}."
        : !IsInstalled(Umockdev) ? $"{Umockdev} was not found: install umockdev (Debian: apt-get install umockdev)."
        : null;

    /// <summary>A list of libraries to preload without these two.</summary>
    public static string RemoveFrom(string preload) => string.Join(':', preload.Split(':', ' ').Where(library => !IsOneOfThem(library)));

    private static bool IsOneOfThem(string library) => Path.GetFileName(library) is Usbfs or Umockdev;

    private static string? PathOfLoaded(string name)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        foreach (string mapping in File.ReadLines("/proc/self/maps"))
        {
            // address, permissions, offset, device, inode, path: the path may have spaces, and it alone has slashes
            int path = mapping.IndexOf('/', StringComparison.Ordinal);
            if (path >= 0 && Path.GetFileName(mapping.AsSpan(path)).StartsWith(name, StringComparison.Ordinal))
                return mapping[path..];
        }

        return null;
    }

    private static string? FindUsbfs()
    {
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        foreach (string folder in (ReadOnlySpan<string>)["", $"runtimes/linux-{architecture}/native"])
        {
            string path = Path.Combine(AppContext.BaseDirectory, folder, Usbfs);
            if (File.Exists(path))
                return path;
        }

        return null;
    }

    // It must not be loaded late, so it is only looked for where the dynamic linker looks.
    private static bool IsInstalled(string library)
    {
        string gnu = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        string[] folders = ["/usr/lib/" + gnu, "/lib/" + gnu, "/usr/lib64", "/usr/lib", "/usr/local/lib", .. (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];
        return folders.Any(folder => File.Exists(Path.Combine(folder, library)));
    }
}
