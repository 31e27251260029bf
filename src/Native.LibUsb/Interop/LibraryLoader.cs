using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Finds and loads libusb when the process first uses a function of libusb. The public class <see cref="UsbLibrary"/> documents the search, and
/// exposes members of this class.</summary>
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

    /// <summary>Gets the version of the loaded libusb (<c>libusb_get_version</c>). If libusb is not loaded yet, this property loads it.</summary>
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
    /// Gets whether libusb has been loaded from a file. The value is false until libusb is first used. In a statically linked program, the value is always
    /// false.
    /// </summary>
    public static bool IsLoaded => ProgramBinding.IsBound ? !ProgramBinding.IsLinkedIn : Volatile.Read(ref s_handle) != 0;

    /// <summary>Gets whether libusb is part of this executable. If it is not, this property loads libusb.</summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    public static bool IsStaticallyLinked => FindExports().IsStatic;

    /// <summary>
    /// Gets the full path of the loaded libusb. If the system does not report the path, the value is the name with which this class loaded libusb. The value is
    /// null before libusb is first used, and in a statically linked program. The value is also null if a resolver loaded libusb and the system does not report
    /// the path.
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
    /// <param name="path">
    /// A path, or a file name that the system's loader can find. A relative path is relative to the directory that is current during this call.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">libusb is already in use, or it was linked with the program.</exception>
    public static void SetPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        lock (s_lock)
        {
            ThrowIfInUse();
            s_chosenPath = Path.GetFileName(path) == path ? path : Path.GetFullPath(path); // the current directory may change before libusb is loaded
            s_resolver = null;
        }
    }

    /// <summary>Sets a function that loads libusb. The loader calls this function before it searches for libusb.</summary>
    /// <param name="resolver">
    /// The function. The loader calls it once, before libusb is first used. The function loads libusb with <see cref="NativeLibrary"/>, and returns the handle
    /// of the loaded libusb, which must stay loaded until the process ends. If the function returns 0, the loader continues with the usual search. The function
    /// must not call libusb.
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

    /// <summary>Returns whether the loaded libusb exports a function. To check for a function that is newer than libusb 1.0.26, use this method, because the
    /// version number of libusb is not reliable.</summary>
    /// <param name="name">The C name, such as <c>nameof(libusb.libusb_init_context)</c>.</param>
    /// <returns>True if the function can be called. For an inline function of libusb.h, the result is false, because libusb does not export it.</returns>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    public static bool HasFunction(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return TryGetExport(name, out _);
    }

    /// <summary>Finds an exported function in the libusb that this assembly calls.</summary>
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

        // If the program is dynamically linked, LoadOnce runs before the first function of libusb is called, and sets s_handle. If s_handle is still 0 after
        // the call below, libusb is part of this program, and the program's export table may contain libusb's functions. The method searches that table only
        // in this case. In a dynamically linked program, the search would include all libraries of the process, and could find another libusb.
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

    // This method must not be inlined. The just-in-time compiler binds the import of libusb_get_version when it compiles a method that calls the import.
    // Suppose that a program's method first calls SetPath and then reads Version. If the compiler inlined GetNativeVersion and the import's wrapper into that
    // method, libusb would be loaded before SetPath runs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static libusb_version* GetNativeVersion() => libusb.libusb_get_version();

    /// <summary>Makes the runtime call <see cref="Resolve"/> to find libusb, if the program can use imports. As a module initializer, this method runs before the
    /// runtime binds an import of this assembly.</summary>
    // CA2255 advises against module initializers, because they delay the start of every program that uses the assembly. This initializer is short. The
    // alternative, a static constructor of `libusb`, would add a check before every call of a native function.
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries", Justification = "See the comment above.")]
    [ModuleInitializer]
    internal static void Register()
    {
        if (ProgramBinding.IsBound)
            return; // the runtime never calls a resolver, and the program starts without the reflection below
        // When the just-in-time compiler does not optimize, it also compiles the calls of imports that the program never makes, and binds some of these imports.
        if (!ProgramBinding.UsesFunctionPointers || RuntimeFeature.IsDynamicCodeSupported)
            NativeLibrary.SetDllImportResolver(typeof(LibraryLoader).Assembly, Resolve);
        if (RuntimeFeature.IsDynamicCodeSupported && typeof(LibraryLoader).Assembly is { IsCollectible: true } assembly)
            LoadContextUnloading.Watch(assembly);
    }

    /// <summary>Gets the address of a function of libusb. The first call finds the function, and loads libusb if necessary.</summary>
    /// <param name="known">The field that contains the address; 0 if the address is not known yet.</param>
    /// <param name="name">The C name of the function.</param>
    /// <returns>The address, which is never 0.</returns>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason and the files that were tried.</exception>
    /// <exception cref="EntryPointNotFoundException">The loaded libusb lacks the function.</exception>
    /// <exception cref="InvalidOperationException">The function given to <see cref="SetResolver"/> calls libusb.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void* GetFunction(ref nint known, string name)
    {
        nint address = Volatile.Read(ref known);
        return (void*)(address != 0 ? address : FindFunction(ref known, name));
    }

    // If several threads call this method for the same function at the same time, they all write the same address, because libusb is loaded once.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint FindFunction(ref nint known, string name)
    {
        nint address = NativeLibrary.GetExport(LoadOnce(), name);
        Volatile.Write(ref known, address);
        return address;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) => name == libusb.LibraryName ? LoadOnce() : 0;

    private static nint LoadOnce()
    {
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

    /// <summary>Represents the library or program whose exports are searched for functions of libusb. If the handle is 0, there are no exports to
    /// search.</summary>
    private sealed record Exports(nint Handle, bool IsStatic);
}
