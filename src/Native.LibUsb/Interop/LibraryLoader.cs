using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Finds and loads libusb once for the process, when its first function is called. <see cref="UsbLibrary"/> is its public face and documents the
/// search.</summary>
internal static unsafe class LibraryLoader
{
    private static readonly Lock s_lock = new();
    private static string? s_chosenPath;
    private static Func<nint>? s_resolver;
    private static nint s_handle;       // 0 until the library was loaded; never unloaded, as libusb's own threads may be running in it
    private static bool s_isLoading;    // guards against a resolver that calls libusb
    private static string? s_loadedName;
    private static Exports? s_exports;

    /// <summary>Gets the native version record.</summary>
    public static ref readonly libusb_version NativeVersion => ref *GetNativeVersion();

    /// <summary>Gets the version of libusb in use, from <c>libusb_get_version</c>. Loads the library when that was not done yet.</summary>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why and lists what was tried.</exception>
    public static Version Version
    {
        get
        {
            libusb_version* version = GetNativeVersion();
            return new Version(version->major, version->minor, version->micro);
        }
    }

    /// <summary>Gets whether libusb has been loaded from a file. False before its first use, and always in a statically linked program.</summary>
    public static bool IsLoaded => ProgramBinding.IsBound ? !ProgramBinding.IsLinkedIn : Volatile.Read(ref s_handle) != 0;

    /// <summary>Gets whether libusb is part of this executable. Loads the library when it is not and that was not done yet.</summary>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why and lists what was tried.</exception>
    public static bool IsStaticallyLinked => FindExports().IsStatic;

    /// <summary>
    /// Gets the full path of the libusb that was loaded, or the name it was loaded by where the system does not report the path. Null before its
    /// first use, in a statically linked program, and when a resolver supplied the handle and the path is unknown.
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

    /// <summary>Names the libusb to load, in place of the search. When it cannot be loaded there is no second choice.</summary>
    /// <param name="path">A full path, or a name that the system's loader knows.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">It is too late: libusb is in use already.</exception>
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

    /// <summary>Has the application load libusb, in place of the search.</summary>
    /// <param name="resolver">Called once, when the first function of libusb is. Returns a handle of <see cref="NativeLibrary"/> that stays
    /// loaded for the life of the process, or 0 to let the usual search go on. It must not use libusb itself.</param>
    /// <exception cref="InvalidOperationException">It is too late: libusb is in use already.</exception>
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

    /// <summary>Returns whether the libusb in use exports a function, which is the only safe test for one that is newer than 1.0.26.</summary>
    /// <param name="name">The C name, such as <c>nameof(libusb.libusb_init_context)</c>.</param>
    /// <returns>True when it can be called. An inline function of libusb.h is not an export and gives false.</returns>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why and lists what was tried.</exception>
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

    /// <summary>Gets why no function at all can be found by name, or null when functions can be found.</summary>
    internal static string? ReasonForNoExports =>
        ProgramBinding.HasFunctionTable || FindExports().Handle != 0
            ? null
            : "libusb is linked into this program, but the program does not export its functions, so that newer ones cannot be found. "
                + "Link with the property LibUsbLink of the package, which takes care of that.";

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

        // Any import makes the runtime ask Resolve for the library. When the runtime has not called the resolver by the end of a call of libusb, then libusb
        // is part of
        // this program, and the program's own export table is the place to look. Looking there first would be wrong: the search of a
        // dynamic program covers all that is loaded in the process, maybe another libusb.
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

    // Never inlined: the just-in-time compiler binds this import when it compiles a method that calls it, and a caller of Version or
    // HasFunction may well choose the library first.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static libusb_version* GetNativeVersion() => libusb.libusb_get_version();

    /// <summary>Registers the resolver of the library with the runtime, before any import of this assembly can run.</summary>
    // CA2255 warns that a module initializer delays the start of every program that uses the library. This one stores one delegate. The
    // other way, a static constructor of `libusb`, would put a check in front of every call of a native function.
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries", Justification = "See the comment above.")]
    [ModuleInitializer]
    internal static void Register()
    {
        if (ProgramBinding.IsBound)
            return; // there is no thread to ask and nothing to load, and the start is spared the reflection that finds the assembly
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
            // The lock lets the same thread in again.
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
                + "When that is what the code does: choose it in a method of its own, as compiling a method that calls a getter of libusb loads it.");
        if (ProgramBinding.IsBound && !ProgramBinding.IsLinkedIn)
            throw new InvalidOperationException("libusb was loaded when this program started: it was linked with LibUsbLink=direct, and no other can be loaded.");
        if (ProgramBinding.IsLinkedIn || s_exports is { IsStatic: true })
            throw new InvalidOperationException("libusb is part of this program: it was linked statically, and no other can be loaded.");
    }

    /// <summary>Represents the place where functions are looked up by name. A handle of 0 means that nothing can be looked up.</summary>
    private sealed record Exports(nint Handle, bool IsStatic);
}
