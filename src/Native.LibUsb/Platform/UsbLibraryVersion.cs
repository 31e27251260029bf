using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents a version of libusb. To check whether libusb has a function, use <see cref="UsbLibrary.HasFunction"/> instead of the version.</summary>
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

    /// <summary>Initializes a version to compare with <see cref="UsbLibrary.Version"/>. The build number <see cref="Nano"/> is 0.</summary>
    /// <param name="major">The first number, such as 1 in 1.0.26.</param>
    /// <param name="minor">The second number, such as 0 in 1.0.26.</param>
    /// <param name="micro">The third number, such as 26 in 1.0.26.</param>
    public UsbLibraryVersion(ushort major, ushort minor, ushort micro)
    {
        Major = major;
        Minor = minor;
        Micro = micro;
        ReleaseCandidate = "";
        Description = "";
    }

    /// <summary>Gets the first number, such as 1 in 1.0.26.</summary>
    public ushort Major { get; }

    /// <summary>Gets the second number, such as 0 in 1.0.26.</summary>
    public ushort Minor { get; }

    /// <summary>Gets the third number, such as 26 in 1.0.26.</summary>
    public ushort Micro { get; }

    /// <summary>Gets the build number. All versions from 1.0.31 on have the same number.</summary>
    public ushort Nano { get; }

    /// <summary>Gets a suffix such as <c>-rc2</c>; empty for a release.</summary>
    public string ReleaseCandidate { get; }

    /// <summary>Gets a text about the origin of the library.</summary>
    public string Description { get; }

    /// <summary>Returns whether one version came before another.</summary>
    public static bool operator <(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) < 0;

    /// <summary>Returns whether one version came after another.</summary>
    public static bool operator >(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) > 0;

    /// <summary>Returns whether one version is not after another.</summary>
    public static bool operator <=(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Returns whether one version is not before another.</summary>
    public static bool operator >=(UsbLibraryVersion left, UsbLibraryVersion right) => left.CompareTo(right) >= 0;

    /// <summary>Compares by major, minor, micro and nano.</summary>
    /// <param name="other">The other version.</param>
    public int CompareTo(UsbLibraryVersion other) => (Major, Minor, Micro, Nano).CompareTo((other.Major, other.Minor, other.Micro, other.Nano));

    /// <summary>Gets the first three numbers as a <see cref="System.Version"/>.</summary>
    public Version ToVersion() => new(Major, Minor, Micro);

    /// <summary>Returns a text such as <c>1.0.26.11724</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Major}.{Minor}.{Micro}.{Nano}{ReleaseCandidate}");

    private static string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);
}
