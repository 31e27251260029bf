using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Finds and loads libusb once for the process, when the first function of libusb is used. <see cref="UsbLibrary"/> makes these members
/// public and documents the search.</summary>
internal static unsafe class LibraryLoader
{
    private static readonly Lock s_lock = new();
    private static string? s_chosenPath;
    private static Func<nint>? s_resolver;
    private static nint s_handle;       // 0 until the library is loaded; it is never unloaded, because libusb's own threads may run in it
    private static bool s_isLoading;    // guards against a resolver that calls libusb
    private static string? s_loadedName;
    private static Exports? s_exports;

    /// <summary>Gets the native version record.</summary>
    public static ref readonly libusb_version NativeVersion => ref *GetNativeVersion();

    /// <summary>Gets the version of the libusb in use (<c>libusb_get_version</c>). If necessary, this property loads libusb.</summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    public static Version Version
    {
        get
        {
            libusb_version* version = GetNativeVersion();
            return new Version(version->major, version->minor, version->micro);
        }
    }

    /// <summary>
    /// Gets whether libusb has been loaded from a file. The value is false before libusb is first used, and always false in a statically linked program.
    /// </summary>
    public static bool IsLoaded => ProgramBinding.IsBound ? !ProgramBinding.IsLinkedIn : Volatile.Read(ref s_handle) != 0;

    /// <summary>Gets whether libusb is part of this executable. If it is not, this property loads libusb.</summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    public static bool IsStaticallyLinked => FindExports().IsStatic;

    /// <summary>
    /// Gets the full path of the loaded libusb, or the name by which it was loaded if the system does not report the path. The value is null if libusb was not
    /// used yet, if the program is statically linked, or if a resolver loaded libusb and the system does not report the path.
    /// </summary>
    public static string? LoadedPath
    {
        get
        {
            if (!IsLoaded)
                return null;
            return LibrarySearch.ModulePath(FindExports().Handle) ?? s_loadedName;
        }
    }

    /// <summary>Sets the file to load as libusb. The loader then does not search for libusb. If it cannot load this file, it tries no other file.</summary>
    /// <param name="path">A full path, or a name for which the system's loader finds the file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">libusb is already in use, or it was linked with the program.</exception>
    public static void SetPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        lock (s_lock)
        {
            ThrowIfInUse();
            s_chosenPath = path;
            s_resolver = null;
        }
    }

    /// <summary>Sets a function that loads libusb. The loader calls this function before it searches for libusb.</summary>
    /// <param name="resolver">
    /// The function. The loader calls it once, before libusb is first used. The function loads libusb with <see cref="NativeLibrary"/>, and returns the handle
    /// of this library. The library must stay loaded until the process ends. If the function returns 0, the loader continues with the usual search. The
    /// function must not use libusb itself.
    /// </param>
    /// <exception cref="InvalidOperationException">libusb is already in use, or it was linked with the program.</exception>
    public static void SetResolver(Func<nint> resolver)
    {
        ArgumentNullException.ThrowIfNull(resolver);
        lock (s_lock)
        {
            ThrowIfInUse();
            s_resolver = resolver;
            s_chosenPath = null;
        }
    }

    /// <summary>Returns whether the libusb in use exports a function. This is the only reliable test for functions that libusb 1.0.26 does not have.</summary>
    /// <param name="name">The C name, such as <c>nameof(libusb.libusb_init_context)</c>.</param>
    /// <returns>True if the function can be called. For an inline function of libusb.h, the result is false, because libusb does not export it.</returns>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    public static bool HasFunction(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return TryGetExport(name, out _);
    }

    /// <summary>Finds an exported function in the libusb that the imports of this assembly use.</summary>
    internal static bool TryGetExport(string name, out nint address)
    {
        if (ProgramBinding.HasFunctionTable)
            return ProgramBinding.TryFind(name, out address);
        Exports exports = FindExports();
        address = 0;
        return exports.Handle != 0 && NativeLibrary.TryGetExport(exports.Handle, name, out address);
    }

    /// <summary>Gets the reason why no function can be found by name; null if functions can be found.</summary>
    internal static string? ReasonForNoExports =>
        ProgramBinding.HasFunctionTable || FindExports().Handle != 0
            ? null
            : "libusb is linked into this program, but the program does not export its functions, so newer functions cannot be found. "
                + "Link it with the package's property LibUsbLink, which exports them.";

    private static Exports FindExports()
    {
        if (Volatile.Read(ref s_exports) is { } known)
            return known;

        if (ProgramBinding.IsBound)
        {
            var bound = new Exports(ProgramBinding.HasFunctionTable ? 0 : NativeLibrary.GetMainProgramHandle(), ProgramBinding.IsLinkedIn);
            Volatile.Write(ref s_exports, bound);
            return bound;
        }

        // If libusb is not part of this program, the runtime calls Resolve when it binds an import, and Resolve sets s_handle. If s_handle is 0 after the call
        // below, libusb is part of this program, and the export table of the program may contain its functions. This method must not search that table first.
        // In a dynamically linked program, such a search includes all libraries of the process, and could find another libusb.
        _ = GetNativeVersion();
        nint handle = Volatile.Read(ref s_handle);
        Exports found;
        if (handle != 0)
        {
            found = new Exports(handle, IsStatic: false);
        }
        else
        {
            handle = NativeLibrary.GetMainProgramHandle();
            found = new Exports(LibrarySearch.IsLibUsb(handle) ? handle : 0, IsStatic: true);
        }
        Volatile.Write(ref s_exports, found);
        return found;
    }

    // This method must not be inlined, because the just-in-time compiler binds an import when it compiles a method that calls the import. For example, a method
    // of the program may first call SetPath and then read Version. If GetNativeVersion were inlined into the program's method, the compiler would load libusb
    // before SetPath runs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static libusb_version* GetNativeVersion() => libusb.libusb_get_version();

    /// <summary>Registers the resolver of the library with the runtime, before any import of this assembly can run.</summary>
    // CA2255 warns that a module initializer delays the start of every program that uses the library. This initializer only stores one delegate. The
    // alternative, a static constructor of `libusb`, would add a check before every call of a native function.
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries", Justification = "See the comment above.")]
    [ModuleInitializer]
    internal static void Register()
    {
        if (ProgramBinding.IsBound)
            return; // the runtime never calls a resolver, and the program starts without the reflection below
        Assembly assembly = typeof(LibraryLoader).Assembly;
        NativeLibrary.SetDllImportResolver(assembly, Resolve);
        if (assembly.IsCollectible)
            LoadContextUnloading.Watch(assembly);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != libusb.LibraryName)
            return 0;
        lock (s_lock)
        {
            if (s_handle != 0)
                return s_handle;
            // A resolver that calls libusb reaches this check, because a thread can enter the lock again.
            if (s_isLoading)
                throw new InvalidOperationException($"The resolver given to UsbLibrary.SetResolver calls libusb, which it is about to load.");
            s_isLoading = true;
            try
            {
                nint handle = Load();
                Volatile.Write(ref s_handle, handle);
                return handle;
            }
            finally
            {
                s_isLoading = false;
            }
        }
    }

    private static nint Load()
    {
        nint handle;
        if (s_resolver is not null && (handle = s_resolver()) != 0)
            return LibrarySearch.Accept(handle);
        var search = new LibrarySearch();
        handle = s_chosenPath is null ? search.Find() : search.Load(s_chosenPath);
        s_loadedName = search.FoundName;
        return handle;
    }

    private static void ThrowIfInUse()
    {
        if (s_handle != 0)
            throw new InvalidOperationException($"libusb is in use already (loaded as {s_loadedName ?? "a handle of a resolver"}): choose it before its first use. "
                + "If the code already does so, choose the library in a separate method: the compilation of a method that calls a getter of libusb loads libusb.");
        if (ProgramBinding.IsBound && !ProgramBinding.IsLinkedIn)
            throw new InvalidOperationException("libusb was loaded when this program started: it was linked with LibUsbLink=direct, so no other libusb can be loaded.");
        if (ProgramBinding.IsLinkedIn || s_exports is { IsStatic: true })
            throw new InvalidOperationException("libusb is part of this program: it was linked statically, so no other libusb can be loaded.");
    }

    /// <summary>Represents the library in which functions are looked up by name. If the handle is 0, no function can be looked up.</summary>
    private sealed record Exports(nint Handle, bool IsStatic);
}
