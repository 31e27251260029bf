using System.Text;

namespace Native.LibUsb;

/// <summary>Decodes the text of string descriptors.</summary>
internal static class StringDescriptor
{
    /// <summary>
    /// Decodes UTF-16, little-endian, without the NULs that some devices pad it with. A surrogate without its other half becomes U+FFFD; half of a
    /// code unit at the end is dropped.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> utf16) => WithoutPadding(Encoding.Unicode.GetString(utf16[..(utf16.Length & ~1)]));

    /// <summary>Removes the NULs at the end of a text. Those between characters stay.</summary>
    public static string WithoutPadding(string text) => text.TrimEnd('\0');
}
