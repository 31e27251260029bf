using System.Runtime.InteropServices;
using System.Text;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents libusb as a whole: which library is loaded, its version, what it can do on this system, its language and its log.
/// </summary>
/// <remarks>
/// <para>libusb is loaded once for the process, when its first function is called. The search, in this order:</para>
/// <list type="number">
/// <item>the library that <see cref="SetPath"/> or <see cref="SetResolver"/> chose, when one of them was called;</item>
/// <item>the application's own copy: its folder, <c>runtimes/&lt;rid&gt;/native</c> in it, what its packages bring there, and what a single-file
/// program extracts (<c>IncludeNativeLibrariesForSelfExtract</c>);</item>
/// <item>the system's copy, under the names that its packages use (<c>libusb-1.0.so.0</c>, <c>libusb-1.0.0.dylib</c>,
/// <c>libusb-1.0.dll</c>, ...), on macOS also in the folders of Homebrew and MacPorts.</item>
/// </list>
/// <para>A library that does not load, that is not libusb 1.0, or that is older than 1.0.26 is passed over. When no other is found, the
/// exception gives the loader's reason for each file and says what to do.</para>
/// <para>A Native AOT program whose property <c>LibUsbLink</c> is <c>direct</c> or <c>static</c> searches for nothing: the system's loader binds
/// libusb when the program starts, or libusb is part of the program. A choice made here is refused in it.</para>
/// <para>For most functions, the first use is their first call. The just-in-time compiler, however, binds the small getters that are imported
/// without a GC transition (<see cref="libusb.libusb_get_version"/> is one of them) when it compiles a method that calls one. Choose the
/// library in a separate method that calls nothing of libusb: the start of <c>Main</c> is too late when <c>Main</c> itself calls such a
/// getter.</para>
/// </remarks>
public static unsafe class UsbLibrary
{
    /// <summary>Gets the version of the libusb in use (<c>libusb_get_version</c>). Loads the library if necessary.</summary>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why, what to do, and what was tried.</exception>
    public static UsbLibraryVersion Version => new(LibraryLoader.NativeVersion);

    /// <summary>Gets whether libusb has been loaded from a file. False before its first use, and always in a statically linked program.</summary>
    public static bool IsLoaded => LibraryLoader.IsLoaded;

    /// <summary>Gets whether libusb is part of this executable. Loads the library if it is not.</summary>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why, what to do, and what was tried.</exception>
    public static bool IsStaticallyLinked => LibraryLoader.IsStaticallyLinked;

    /// <summary>
    /// Gets the full path of the libusb that was loaded, or the name it was loaded by where the system does not report the path. Null before
    /// its first use, in a statically linked program, and when a resolver supplied the handle and the path is unknown.
    /// </summary>
    public static string? LoadedPath => LibraryLoader.LoadedPath;

    /// <summary>Specifies the libusb to load, instead of the search. If it cannot be loaded, no other library is tried.</summary>
    /// <param name="path">A full path, or a name that the system's loader knows.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">libusb is already in use, or belongs to the program (<c>LibUsbLink</c>).</exception>
    public static void SetPath(string path) => LibraryLoader.SetPath(path);

    /// <summary>Specifies a function that loads libusb, instead of the search.</summary>
    /// <param name="resolver">
    /// Called once, before the first function of libusb. It returns a handle of <see cref="NativeLibrary"/> that stays loaded for the life of
    /// the process, or 0 to continue with the usual search. It must not use libusb itself.
    /// </param>
    /// <exception cref="InvalidOperationException">libusb is already in use, or belongs to the program (<c>LibUsbLink</c>).</exception>
    public static void SetResolver(Func<nint> resolver) => LibraryLoader.SetResolver(resolver);

    /// <summary>Gets whether the libusb in use exports a function. This is the only reliable test for functions newer than 1.0.26.</summary>
    /// <param name="name">The C name, such as <c>nameof(libusb.libusb_init_context)</c>.</param>
    /// <returns>True if it can be called. An inline function of libusb.h is not an export and gives false.</returns>
    /// <exception cref="DllNotFoundException">There is no libusb that can be used; the message says why, what to do, and what was tried.</exception>
    public static bool HasFunction(string name) => LibraryLoader.HasFunction(name);

    /// <summary>Gets whether libusb supports a capability on this system (<c>libusb_has_capability</c>). On some systems the answer is correct only while a
    /// context is open.</summary>
    /// <param name="capability">The capability.</param>
    public static bool HasCapability(UsbCapability capability) => libusb.libusb_has_capability((uint)capability) != 0;

    /// <summary>Chooses the language of <see cref="GetErrorMessage"/> for the whole process (<c>libusb_setlocale</c>).</summary>
    /// <param name="locale">A language code such as <c>en</c> or <c>fr_CH</c>; what follows two letters is ignored.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: libusb has no texts in that language.</exception>
    /// <exception cref="ArgumentException">That is no language code.</exception>
    public static void SetLocale(string locale)
    {
        ArgumentException.ThrowIfNullOrEmpty(locale);
        if (!Ascii.IsValid(locale) || locale.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A language code has only ASCII letters.", nameof(locale));
        byte[] name = Encoding.ASCII.GetBytes(locale + '\0');
        fixed (byte* pointer = name)
            UsbException.ThrowIfError(libusb.libusb_setlocale(pointer), $"use the language '{locale}'");
    }

    /// <summary>Gets libusb's short text for an error, in the language that was chosen (<c>libusb_strerror</c>).</summary>
    /// <param name="error">The error.</param>
    public static string GetErrorMessage(UsbError error) => Marshal.PtrToStringUTF8((nint)libusb.libusb_strerror((int)error)) ?? "";

    /// <summary>
    /// Receives what libusb logs, in all contexts and outside of them (<c>libusb_set_log_cb</c>); null stops it, and libusb writes to standard
    /// error again. See <see cref="UsbLogHandler"/> for its rules.
    /// </summary>
    /// <param name="handler">Called with every message at or above the level of the context it concerns.</param>
    public static void SetLogHandler(UsbLogHandler? handler) => LogDispatcher.SetGlobal(handler);
}
