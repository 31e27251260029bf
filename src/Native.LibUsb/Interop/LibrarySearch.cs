using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>
/// Tries paths and file names until it finds a usable libusb. Collects the reasons for failed attempts, and states them in the error message.
/// </summary>
internal sealed unsafe class LibrarySearch
{
    /// <summary>The oldest libusb that has all functions of the plain imports.</summary>
    private static readonly Version s_oldest = new(1, 0, 26);

    private readonly List<string> _tried = [];
    private string? _advice; // advice about the first file that exists but cannot be used

    /// <summary>Gets the name or path of the library that was found.</summary>
    public string? FoundName { get; private set; }

    /// <summary>Searches the folders of the application, and then the folders of the system.</summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message states the reason and explains what to do.</exception>
    public nint Find()
    {
        string[] names = LibraryNames.OfThisSystem();
        foreach (string folder in LibraryNames.FoldersOfTheApplication())
        {
            foreach (string name in names)
            {
                // Most of the application's folders contain no libusb, so the error message does not list the missing files.
                string path = Path.Combine(folder, name);
                if (File.Exists(path) && TryPath(path, out nint handle))
                    return handle;
            }
        }

        if (RuntimeFeature.IsDynamicCodeSupported && LibraryNames.FolderOfExtractedFiles() is { } extracted)
        {
            foreach (string name in names)
            {
                if (TryExtracted(name, extracted, out nint handle))
                    return handle;
            }
        }

        foreach (string name in names)
        {
            if (TryName(name, out nint handle))
                return handle;
        }

        foreach (string path in LibraryNames.OtherPlacesOfThisSystem())
        {
            if (TryPath(path, out nint handle))
                return handle;
        }

        throw NotFound();
    }

    /// <summary>Loads the one library that the application chose.</summary>
    /// <param name="path">A full path, or a file name that the system's loader can find.</param>
    /// <exception cref="DllNotFoundException">The library cannot be used. The message states the reason and explains what to do.</exception>
    public nint Load(string path) => TryPath(path, out nint handle) ? handle : throw NotFound();

    /// <summary>Accepts the library that the application's resolver loaded.</summary>
    /// <exception cref="DllNotFoundException">The library cannot be used. The message contains the reason.</exception>
    public static nint Accept(nint handle)
    {
        if (!IsLibUsb(handle))
            throw new DllNotFoundException("The resolver returned a library that is not libusb 1.0: it does not export libusb_get_version.");
        return OlderThanNeeded(handle) is { } version
            ? throw new DllNotFoundException($"{TooOld(version, ModulePath(handle) ?? "the path that the resolver loaded")}: {UpdateIt}")
            : handle;
    }

    /// <summary>Returns whether a library is libusb 1.0, regardless of its version.</summary>
    public static bool IsLibUsb(nint handle) => NativeLibrary.TryGetExport(handle, nameof(libusb.libusb_get_version), out _);

    /// <summary>Returns the path of the file from which a libusb was loaded. If the system does not report the path, the result is null.</summary>
    public static string? ModulePath(nint handle) => ModuleFile.PathOf(handle, NativeLibrary.GetExport(handle, nameof(libusb.libusb_get_version)));

    private static string UpdateIt => "update it, or name a newer file with UsbLibrary.SetPath before its first use.";

    // The method first lets the runtime search for the library, because the runtime searches more places than the system's loader does. For example, the
    // runtime also lets the program's load context search for the library. In a program that is compiled ahead of time, the runtime would not search more
    // places, and the call would add 0.2 MB of reflection code. Such a program therefore skips this step.
    private bool TryName(string name, out nint handle) =>
        RuntimeFeature.IsDynamicCodeSupported && NativeLibrary.TryLoad(name, typeof(LibrarySearch).Assembly, DllImportSearchPath.AssemblyDirectory, out handle)
            ? IsUsable(name, ref handle)
            : TryPath(name, out handle);

    private bool TryPath(string nameOrPath, out nint handle)
    {
        if (NativeLibrary.TryLoad(nameOrPath, out handle))
            return IsUsable(nameOrPath, ref handle);
        string reason = ReasonFor(nameOrPath);
        _advice ??= LoadFailure.Advice(nameOrPath, reason);
        _tried.Add($"{nameOrPath} ({reason})");
        return false;
    }

    // The runtime searches the subfolder that contains this program's extracted files. This method cannot determine that subfolder. If the subfolder contains
    // no libusb, the runtime loads the system's libusb instead. This method therefore accepts a library only if the library's path begins with the root folder,
    // which contains the subfolders of all programs.
    private bool TryExtracted(string name, string root, out nint handle)
    {
        if (!NativeLibrary.TryLoad(name, typeof(LibrarySearch).Assembly, DllImportSearchPath.AssemblyDirectory, out handle))
            return false;
        if (IsLibUsb(handle) && ModulePath(handle) is { } path && path.StartsWith(root, StringComparison.Ordinal))
            return IsUsable(path, ref handle);
        NativeLibrary.Free(handle);
        handle = 0;
        return false;
    }

    private bool IsUsable(string nameOrPath, ref nint handle)
    {
        if (!IsLibUsb(handle))
        {
            // The file has one of libusb's names, but it is another library, such as libusb 0.1.
            _tried.Add($"{nameOrPath} (loads, but is not libusb 1.0)");
        }
        else if (OlderThanNeeded(handle) is { } version)
        {
            string problem = TooOld(version, ModulePath(handle) ?? nameOrPath);
            _advice ??= $"{problem}: {UpdateIt}";
            _tried.Add($"{nameOrPath} (too old: {version})");
        }
        else
        {
            FoundName = nameOrPath;
            return true;
        }

        NativeLibrary.Free(handle);
        handle = 0;
        return false;
    }

    // FreeBSD's base system contains its own implementation of libusb's API, with different version numbers. The method therefore does not check the version on
    // FreeBSD.
    private static Version? OlderThanNeeded(nint handle)
    {
        if (OperatingSystem.IsFreeBSD())
            return null;
        var getVersion = (delegate* unmanaged<libusb_version*>)NativeLibrary.GetExport(handle, nameof(libusb.libusb_get_version));
        libusb_version* version = getVersion();
        var found = new Version(version->major, version->minor, version->micro);
        return found < s_oldest ? found : null;
    }

    private static string TooOld(Version version, string path) => $"libusb {version} at {path} is too old; {s_oldest} or newer is needed";

    private static string ReasonFor(string nameOrPath)
    {
        try
        {
            NativeLibrary.Free(NativeLibrary.Load(nameOrPath));
            return "loads at the second attempt";
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            return LoadFailure.Reason(nameOrPath, exception.Message);
        }
    }

    private DllNotFoundException NotFound() => new(
        (_advice is null
            ? "libusb 1.0 was not found: install it (Debian: libusb-1.0-0, Fedora: libusb1, Homebrew: libusb; on Windows put libusb-1.0.dll beside "
                + "the program), or name the file with UsbLibrary.SetPath before its first use."
            : _advice)
        + $" Tried: {string.Join(", ", _tried)}.");
}
