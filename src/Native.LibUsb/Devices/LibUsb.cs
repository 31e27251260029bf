using System.Runtime.InteropServices;
using System.Text;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>What concerns libusb as a whole: its version, what it can do on this system, its language and its log.</summary>
public static unsafe class LibUsb
{
    /// <summary>The libusb in use (<c>libusb_get_version</c>).</summary>
    public static LibUsbVersion Version => new(*libusb.libusb_get_version());

    /// <summary>Whether libusb can do something on this system (<c>libusb_has_capability</c>). On some systems right only once a context is open.</summary>
    /// <param name="capability">What.</param>
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

    /// <summary>libusb's short text for an error, in the language that was chosen (<c>libusb_strerror</c>).</summary>
    /// <param name="error">The error.</param>
    public static string GetErrorMessage(UsbError error) => Marshal.PtrToStringUTF8((nint)libusb.libusb_strerror((int)error)) ?? "";

    /// <summary>
    /// Receives what libusb logs, in all contexts and outside of them (<c>libusb_set_log_cb</c>); null stops it, and libusb writes to standard
    /// error again. See <see cref="UsbLogHandler"/> for what it may do.
    /// </summary>
    /// <param name="handler">Called with every message at or above the level of the context it concerns.</param>
    public static void SetLogHandler(UsbLogHandler? handler) => LogDispatcher.SetGlobal(handler);
}

/// <summary>What libusb may or may not be able to do. The numbers are those of <c>enum libusb_capability</c>.</summary>
public enum UsbCapability
{
    /// <summary>Asking for capabilities.</summary>
    HasCapability = 0x0000,

    /// <summary>Telling when devices come and go. Windows: from libusb 1.0.30.</summary>
    Hotplug = 0x0001,

    /// <summary>Talking to HID devices without the system's HID driver in the way.</summary>
    HidAccess = 0x0100,

    /// <summary>Detaching kernel drivers.</summary>
    DetachKernelDriver = 0x0101,
}

/// <summary>A version of libusb. Compare it for information; whether a function exists is not told by it.</summary>
public readonly record struct LibUsbVersion : IComparable<LibUsbVersion>
{
    internal unsafe LibUsbVersion(in libusb_version native)
    {
        Major = native.major;
        Minor = native.minor;
        Micro = native.micro;
        Nano = native.nano;
        ReleaseCandidate = Text(native.rc) ?? "";
        Description = Text(native.describe) ?? "";
    }

    /// <summary>The 1 of 1.0.26.</summary>
    public ushort Major { get; }

    /// <summary>The 0 of 1.0.26.</summary>
    public ushort Minor { get; }

    /// <summary>The 26 of 1.0.26.</summary>
    public ushort Micro { get; }

    /// <summary>A build number; the same in all versions from 1.0.31.</summary>
    public ushort Nano { get; }

    /// <summary>Such as <c>-rc2</c>; empty for a release.</summary>
    public string ReleaseCandidate { get; }

    /// <summary>A text about where it comes from.</summary>
    public string Description { get; }

    /// <summary>Whether one version came before another.</summary>
    public static bool operator <(LibUsbVersion left, LibUsbVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether one version came after another.</summary>
    public static bool operator >(LibUsbVersion left, LibUsbVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether one version is not after another.</summary>
    public static bool operator <=(LibUsbVersion left, LibUsbVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one version is not before another.</summary>
    public static bool operator >=(LibUsbVersion left, LibUsbVersion right) => left.CompareTo(right) >= 0;

    /// <summary>By major, minor, micro and nano.</summary>
    /// <param name="other">The other version.</param>
    public int CompareTo(LibUsbVersion other) => (Major, Minor, Micro, Nano).CompareTo((other.Major, other.Minor, other.Micro, other.Nano));

    /// <summary>Such as <c>1.0.26.11724</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Major}.{Minor}.{Micro}.{Nano}{ReleaseCandidate}");

    private static unsafe string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);
}
