using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>A version of libusb. Compare it for information; whether a function exists is not told by it.</summary>
public readonly unsafe record struct UsbLibraryVersion : IComparable<UsbLibraryVersion>
{
    internal UsbLibraryVersion(in libusb_version native)
    {
        Major = native.major;
        Minor = native.minor;
        Micro = native.micro;
        Nano = native.nano;
        ReleaseCandidate = Text(native.rc) ?? "";
        Description = Text(native.describe) ?? "";
    }

    /// <summary>Initializes a release version, to compare <see cref="UsbLibrary.Version"/> with.</summary>
    /// <param name="major">The 1 of 1.0.26.</param>
    /// <param name="minor">The 0 of 1.0.26.</param>
    /// <param name="micro">The 26 of 1.0.26.</param>
    public UsbLibraryVersion(ushort major, ushort minor, ushort micro)
    {
        Major = major;
        Minor = minor;
        Micro = micro;
        ReleaseCandidate = "";
        Description = "";
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
    public static bool operator <(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether one version came after another.</summary>
    public static bool operator >(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether one version is not after another.</summary>
    public static bool operator <=(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one version is not before another.</summary>
    public static bool operator >=(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) >= 0;

    /// <summary>By major, minor, micro and nano.</summary>
    /// <param name="other">The other version.</param>
    public int CompareTo(UsbLibraryVersion other) => (Major, Minor, Micro, Nano).CompareTo((other.Major, other.Minor, other.Micro, other.Nano));

    /// <summary>Gets the first three numbers as a <see cref="System.Version"/>.</summary>
    public Version ToVersion() => new(Major, Minor, Micro);

    /// <summary>Such as <c>1.0.26.11724</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Major}.{Minor}.{Micro}.{Nano}{ReleaseCandidate}");

    private static string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);
}
