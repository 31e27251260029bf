using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Represents the names and places of libusb on each operating system.</summary>
internal static class LibraryNames
{
    /// <summary>Gets the file names, the most specific one first: a name with the ABI's number cannot be another library.</summary>
    internal static string[] OfThisSystem()
    {
        if (OperatingSystem.IsWindows())
            return ["libusb-1.0.dll"];
        if (OperatingSystem.IsMacOS() || OperatingSystem.IsMacCatalyst() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS())
            return ["libusb-1.0.0.dylib", "libusb-1.0.dylib"];
        // Applications bring their own on Android, which knows no numbers; libusb's own build for it leaves the hyphen out.
        if (OperatingSystem.IsAndroid())
            return ["libusb-1.0.so", "libusb1.0.so"];
        // FreeBSD's base system has its own library with libusb's interface; the number is its own too.
        if (OperatingSystem.IsFreeBSD())
            return ["libusb.so.3", "libusb-1.0.so.0", "libusb-1.0.so", "libusb.so"];
        return ["libusb-1.0.so.0", "libusb-1.0.so"];
    }

    /// <summary>Gets the full paths outside of the folders that the system's loader searches.</summary>
    internal static IEnumerable<string> OtherPlacesOfThisSystem()
    {
        if (!OperatingSystem.IsMacOS())
            yield break;
        // Homebrew on Apple silicon and on Intel, then MacPorts. A library of the wrong processor does not load, and the next is tried.
        foreach (string folder in (string[])["/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"])
        {
            foreach (string name in OfThisSystem())
                yield return Path.Combine(folder, name);
        }
    }

    /// <summary>Gets the folders from which the runtime itself would take a library of the application, without those of the system.</summary>
    internal static IEnumerable<string> FoldersOfTheApplication()
    {
        yield return AppContext.BaseDirectory;
        // Files that were copied there, and that the host does not know: the host reads the list of the packages' files only.
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        // Set by the host for a framework-dependent program: the native assets of its packages for this platform.
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string directories)
        {
            foreach (string directory in directories.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
                yield return directory;
        }
    }

    /// <summary>
    /// Gets the folder under which single-file programs extract their native libraries, or null if this program is none. Which folder in it is
    /// this program's is known to the runtime only.
    /// </summary>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is the answer that is requested.")]
    internal static string? FolderOfExtractedFiles()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported || typeof(LibraryNames).Assembly.Location.Length != 0)
            return null;
        if (Environment.GetEnvironmentVariable("DOTNET_BUNDLE_EXTRACT_BASE_DIR") is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        string parent = OperatingSystem.IsWindows() ? Path.GetTempPath() : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(parent, ".net");
    }
}
