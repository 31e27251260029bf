using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the preload library. The library answers the sysfs, udev and usbfs calls of a program, and so connects the program to a virtual bus.
/// </summary>
/// <remarks>
/// A child process that uses a bus is started with the library. If the current process was started without the library, the process loads the library when it
/// creates a bus. The library then changes the tables through which other libraries call libc and libudev.
/// </remarks>
internal static unsafe class PreloadLibrary
{
    /// <summary>The environment variable that contains the bus's directory for a child process.</summary>
    public const string Variable = "NATIVE_LIBUSB_BUS";

    private const string FileName = "libnative-libusb-usbfs.so", SetBusName = "native_libusb_usbfs_set_bus";

    private static readonly Lock s_lock = new();
    private static delegate* unmanaged<byte*, void> s_setBus = (delegate* unmanaged<byte*, void>)Export(SetBusName);

    // If the preload library is already loaded, this field contains the path of the loaded file. The file can be outside of the base directory. For example, if
    // a user starts the program through the dynamic loader, the base directory is the loader's directory.
    private static readonly string? s_path = PathOfLoaded() ?? Find();

    /// <summary>Gets whether the library is loaded in this process.</summary>
    public static bool IsLoaded => s_setBus is not null;

    /// <summary>Gets the path of the library for LD_PRELOAD.</summary>
    public static string Path => s_path ?? FileName;

    /// <summary>Gets the reason why the library cannot be loaded. Null if it can.</summary>
    public static string? MissingReason => s_path is not null ? null
        : $"{FileName} was not found beside {AppContext.BaseDirectory}: it comes with the package Native.LibUsb.Testing for linux-x64 and linux-arm64 (glibc), "
        + "and the project that runs must refer to the package or to a project that does.";

    /// <summary>Loads the library into this process, unless it is already loaded.</summary>
    /// <exception cref="PlatformNotSupportedException">The library is missing or cannot be loaded. The message gives the reason.</exception>
    public static void Load()
    {
        lock (s_lock)
        {
            if (IsLoaded)
                return;
            if (MissingReason is { } reason)
                throw new PlatformNotSupportedException(reason);
            nint library;
            try
            {
                library = NativeLibrary.Load(Path);
            }
            catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
            {
                throw new PlatformNotSupportedException($"{Path} cannot be loaded into this process: {exception.Message}", exception);
            }
            if (((delegate* unmanaged<byte>)NativeLibrary.GetExport(library, "native_libusb_usbfs_attach"))() == 0)
                throw new PlatformNotSupportedException($"{Path} cannot be put in front of libc in this process: start the process with LD_PRELOAD={Path}.");
            s_setBus = (delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(library, SetBusName);
        }
    }

    /// <summary>
    /// Sets the bus that libusb in this process uses. If <paramref name="directory"/> is null, libusb uses no virtual bus. If the preload library is not
    /// loaded, the method does nothing.
    /// </summary>
    public static void SetBus(string? directory)
    {
        if (s_setBus is null)
            return;
        byte* path = (byte*)Marshal.StringToCoTaskMemUTF8(directory);
        s_setBus(path);
        Marshal.FreeCoTaskMem((nint)path);
    }

    /// <summary>Returns the address of a signal handler in which the interrupted thread sleeps.</summary>
    /// <param name="longest">The maximum time that a thread sleeps.</param>
    /// <param name="handled">The address of the counter of completed handler calls.</param>
    /// <exception cref="PlatformNotSupportedException">The library is missing or cannot be loaded. The message gives the reason.</exception>
    public static nint Delay(TimeSpan longest, out ulong* handled)
    {
        Load();
        nint library = NativeLibrary.Load(Path);
        ((delegate* unmanaged<uint, void>)NativeLibrary.GetExport(library, "native_libusb_usbfs_set_delay"))((uint)longest.TotalNanoseconds);
        handled = ((delegate* unmanaged<ulong*>)NativeLibrary.GetExport(library, "native_libusb_usbfs_delays"))();
        return NativeLibrary.GetExport(library, "native_libusb_usbfs_delay");
    }

    /// <summary>Returns an LD_PRELOAD list from which this library has been removed.</summary>
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
        string[] native = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        foreach (string folder in (IEnumerable<string>)["", $"runtimes/linux-{architecture}/native", .. native])
        {
            string path = System.IO.Path.Combine(AppContext.BaseDirectory, folder, FileName);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
