using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Provides the file names and the folders of libusb on each operating system.</summary>
internal static class LibraryNames
{
    /// <summary>
    /// Gets the possible file names of libusb. Names that contain the ABI number come first, because no other library has a file with such a name.
    /// </summary>
    internal static string[] OfThisSystem()
    {
        if (OperatingSystem.IsWindows())
            return ["libusb-1.0.dll"];
        if (OperatingSystem.IsMacOS() || OperatingSystem.IsMacCatalyst() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS())
            return ["libusb-1.0.0.dylib", "libusb-1.0.dylib"];
        // Android applications contain their own libusb, and library names on Android have no ABI number. The second name comes from the build files that the
        // libusb project provides for Android.
        if (OperatingSystem.IsAndroid())
            return ["libusb-1.0.so", "libusb1.0.so"];
        // FreeBSD's base system contains its own implementation of libusb's API, with a different ABI number.
        if (OperatingSystem.IsFreeBSD())
            return ["libusb.so.3", "libusb-1.0.so.0", "libusb-1.0.so", "libusb.so"];
        return ["libusb-1.0.so.0", "libusb-1.0.so"];
    }

    /// <summary>Gets the full paths of libusb in folders that the system's loader does not search.</summary>
    internal static IEnumerable<string> OtherPlacesOfThisSystem()
    {
        if (!OperatingSystem.IsMacOS())
            yield break;
        // These are the folders of Homebrew on Apple silicon, of Homebrew on Intel, and of MacPorts. If a folder contains a library for another processor, the
        // library cannot be loaded, and the search continues with the next path.
        foreach (string folder in (string[])["/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"])
        {
            foreach (string name in OfThisSystem())
                yield return Path.Combine(folder, name);
        }
    }

    /// <summary>
    /// Gets the folders in which the runtime itself would look for a library of the application. The result does not contain the system's folders.
    /// </summary>
    internal static IEnumerable<string> FoldersOfTheApplication()
    {
        yield return AppContext.BaseDirectory;
        // The host does not find files that were copied into this folder, because it uses only the list of the packages' files.
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        // The .NET host provides this list of folders. In a framework-dependent program, the folders contain the packages' native files for this platform.
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string directories)
        {
            foreach (string directory in directories.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
                yield return directory;
        }
    }

    /// <summary>
    /// Gets the folder below which single-file programs extract their native libraries; null if this program is not a single-file program. Each program has its
    /// own subfolder in this folder. Only the runtime can determine this program's subfolder. A program that is compiled ahead of time has no such folder, so it
    /// must not call this method.
    /// </summary>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is the answer that is requested.")]
    internal static string? FolderOfExtractedFiles()
    {
        if (typeof(LibraryNames).Assembly.Location.Length != 0)
            return null;
        if (Environment.GetEnvironmentVariable("DOTNET_BUNDLE_EXTRACT_BASE_DIR") is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        string parent = OperatingSystem.IsWindows() ? Path.GetTempPath() : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(parent, ".net");
    }
}
