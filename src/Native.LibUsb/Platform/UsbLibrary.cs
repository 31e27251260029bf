using System.Runtime.InteropServices;
using System.Text;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Provides members that concern libusb as a whole. They select which libusb is loaded. They also report its version, functions and capabilities, set the
/// language of its messages, and receive its log.
/// </summary>
/// <remarks>
/// <para>A process loads libusb once, when it first uses a function of libusb. This library searches for libusb in this order:</para>
/// <list type="number">
/// <item>the library that <see cref="SetPath"/> or <see cref="SetResolver"/> chose, if one of these methods was called;</item>
/// <item>the application's own copy: in the application's folder, in its subfolder <c>runtimes/&lt;rid&gt;/native</c>, in the folders where the application's
/// packages keep their native files, or among the files that a single-file program extracts (<c>IncludeNativeLibrariesForSelfExtract</c>);</item>
/// <item>the system's copy, under the names that the system's packages use (<c>libusb-1.0.so.0</c>, <c>libusb-1.0.0.dylib</c>, <c>libusb-1.0.dll</c>, ...). On
/// macOS, the folders of Homebrew and MacPorts are also searched.</item>
/// </list>
/// <para>The search skips a file that cannot be loaded, that is not libusb 1.0, or that is older than 1.0.26. If the search finds no usable libusb, the message
/// of the exception contains the loader's reason for each file, and explains what to do.</para>
/// <para>A Native AOT program whose property <c>LibUsbLink</c> is <c>direct</c> or <c>static</c> does not search. With <c>direct</c>, the system's loader binds
/// libusb when the program starts. With <c>static</c>, libusb is part of the program. In both cases, <see cref="SetPath"/> and <see cref="SetResolver"/>
/// throw.</para>
/// <para>Most functions load libusb when they are first called. A few small getters, such as <see cref="libusb.libusb_get_version"/>, are called without a GC
/// transition. If a method calls such a getter, and the just-in-time compiler optimizes this method when it first compiles it, the compilation loads libusb.
/// Therefore call <see cref="SetPath"/> or <see cref="SetResolver"/> in a separate method that calls no function of libusb. If <c>Main</c> itself calls such a
/// getter, even a call of <see cref="SetPath"/> in the first line of <c>Main</c> may be too late.</para>
/// </remarks>
public static unsafe class UsbLibrary
{
    /// <summary>Gets the version of the libusb that is in use (<c>libusb_get_version</c>). If necessary, this property loads libusb.</summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason, the remedy, and the files that were
    /// tried.</exception>
    public static UsbLibraryVersion Version => new(LibraryLoader.NativeVersion);

    /// <summary>
    /// Gets whether libusb has been loaded from a file. The value is false before libusb is first used, and always false in a statically linked program.
    /// </summary>
    public static bool IsLoaded => LibraryLoader.IsLoaded;

    /// <summary>
    /// Gets whether libusb is part of this executable. If libusb is neither part of this executable nor loaded yet, this property loads libusb.
    /// </summary>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason, the remedy, and the files that were
    /// tried.</exception>
    public static bool IsStaticallyLinked => LibraryLoader.IsStaticallyLinked;

    /// <summary>
    /// Gets the full path of the loaded libusb. If the system does not report the path, the value is the name by which this library loaded libusb. If a
    /// resolver or the system's loader loaded libusb, there is no such name, and the value is null. The value is also null before libusb is first used, and in
    /// every statically linked program.
    /// </summary>
    public static string? LoadedPath => LibraryLoader.LoadedPath;

    /// <summary>Sets the file to load as libusb. This library then does not search for libusb. If this library cannot load the file, it tries no other
    /// file.</summary>
    /// <param name="path">
    /// A path, or a file name that the system's loader can find. A relative path is relative to the directory that is current during this call.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">libusb is already in use, or it was linked with the program (<c>LibUsbLink</c>).</exception>
    public static void SetPath(string path) => LibraryLoader.SetPath(path);

    /// <summary>Sets a function that loads libusb. This library calls the function before the usual search for libusb.</summary>
    /// <param name="resolver">
    /// The function. This library calls it once, before libusb is first used. The function loads libusb with <see cref="NativeLibrary"/>, and returns the
    /// handle. The loaded libusb must stay loaded until the process ends. If the function returns 0, this library continues with the usual search. The function
    /// must not call libusb.
    /// </param>
    /// <exception cref="InvalidOperationException">libusb is already in use, or it was linked with the program (<c>LibUsbLink</c>).</exception>
    public static void SetResolver(Func<nint> resolver) => LibraryLoader.SetResolver(resolver);

    /// <summary>
    /// Gets whether the libusb that is in use exports a function. Every supported libusb has the functions of libusb 1.0.26. To check for a newer function,
    /// call this method instead of comparing version numbers.
    /// </summary>
    /// <param name="name">The C name, such as <c>nameof(libusb.libusb_init_context)</c>.</param>
    /// <returns>True if the function can be called. For an inline function of libusb.h, the result is false, because libusb does not export it.</returns>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason, the remedy, and the files that were
    /// tried.</exception>
    public static bool HasFunction(string name) => LibraryLoader.HasFunction(name);

    /// <summary>Gets whether libusb supports a capability on this system (<c>libusb_has_capability</c>). On some systems the answer is correct only while a
    /// context is open.</summary>
    /// <param name="capability">The capability.</param>
    public static bool HasCapability(UsbCapability capability) => libusb.libusb_has_capability((uint)capability) != 0;

    /// <summary>Chooses the language of <see cref="GetErrorMessage"/> for the whole process (<c>libusb_setlocale</c>).</summary>
    /// <param name="locale">A language code such as <c>en</c> or <c>fr_CH</c>. Only the first two letters are used.</param>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: libusb has no texts in that language.</exception>
    /// <exception cref="ArgumentException"><paramref name="locale"/> is not a language code.</exception>
    public static void SetLocale(string locale)
    {
        ArgumentException.ThrowIfNullOrEmpty(locale);
        if (!Ascii.IsValid(locale) || locale.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A language code has only ASCII letters.", nameof(locale));
        byte[] name = Encoding.ASCII.GetBytes(locale + '\0');
        fixed (byte* pointer = name)
            UsbException.ThrowIfError(libusb.libusb_setlocale(pointer), $"use the language '{locale}'");
    }

    /// <summary>Gets libusb's short text for an error, in the language that <see cref="SetLocale"/> chose (<c>libusb_strerror</c>).</summary>
    /// <param name="error">The error.</param>
    public static string GetErrorMessage(UsbError error) => Marshal.PtrToStringUTF8((nint)libusb.libusb_strerror((int)error)) ?? "";

    /// <summary>
    /// Sets the handler for all messages that libusb logs, including messages that belong to no context (<c>libusb_set_log_cb</c>). <see cref="UsbLogHandler"/>
    /// describes the rules for handlers.
    /// </summary>
    /// <param name="handler">
    /// The handler. It receives a message of a context only if the message is at least as severe as the context's log level. Null removes the handler, and
    /// libusb then writes to standard error again.
    /// </param>
    public static void SetLogHandler(UsbLogHandler? handler) => LogDispatcher.SetGlobal(handler);
}
