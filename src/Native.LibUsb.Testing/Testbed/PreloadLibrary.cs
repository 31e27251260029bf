using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents the library that a program must have to see a virtual bus: it answers sysfs, udev and usbfs.</summary>
internal static unsafe class PreloadLibrary
{
    /// <summary>Specifies the variable that names the bus's directory to a child process.</summary>
    public const string Variable = "NATIVE_LIBUSB_BUS";

    private const string FileName = "libnative-libusb-usbfs.so";

    private static readonly delegate* unmanaged<byte*, void> s_setBus = (delegate* unmanaged<byte*, void>)Export("native_libusb_usbfs_set_bus");

    // The loaded one first: a program that was started through a loader of its own has its base folder elsewhere.
    private static readonly string? s_path = PathOfLoaded() ?? Find();

    /// <summary>Gets whether the library is loaded in this process.</summary>
    public static bool IsLoaded => s_setBus is not null;

    /// <summary>Gets the path to preload.</summary>
    public static string Path => s_path ?? FileName;

    /// <summary>Gets the reason why the library cannot be preloaded; null when it can.</summary>
    public static string? MissingReason => s_path is null ? $"{FileName} was not found beside {AppContext.BaseDirectory}." : null;

    /// <summary>Shows a bus to the libusb of this process; null for none. Does nothing where the library is not loaded.</summary>
    public static void SetBus(string? directory)
    {
        if (s_setBus is null)
            return;
        byte* path = (byte*)Marshal.StringToCoTaskMemUTF8(directory);
        s_setBus(path);
        Marshal.FreeCoTaskMem((nint)path);
    }

    /// <summary>Returns a list of libraries to preload without this one.</summary>
    public static string RemoveFrom(string preload) => string.Join(':', preload.Split(':', ' ').Where(library => System.IO.Path.GetFileName(library) != FileName));

    private static nint Export(string name) =>
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out nint address) ? address : 0;

    private static string? PathOfLoaded()
    {
        var path = (delegate* unmanaged<byte*>)Export("native_libusb_usbfs_path");
        return path is not null && Marshal.PtrToStringUTF8((nint)path()) is { Length: > 0 } loaded ? System.IO.Path.GetFullPath(loaded) : null;
    }

    private static string? Find()
    {
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        foreach (string folder in (ReadOnlySpan<string>)["", $"runtimes/linux-{architecture}/native"])
        {
            string path = System.IO.Path.Combine(AppContext.BaseDirectory, folder, FileName);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
