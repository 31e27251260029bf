using System.Text;

namespace Native.LibUsb;

/// <summary>Decodes the text of string descriptors.</summary>
internal static class StringDescriptor
{
    /// <summary>
    /// Decodes little-endian UTF-16 text, and removes the NULs at its end, because some devices pad their texts with NULs. An unpaired surrogate becomes
    /// U+FFFD. An odd byte at the end is ignored.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> utf16) => WithoutPadding(Encoding.Unicode.GetString(utf16[..(utf16.Length & ~1)]));

    /// <summary>Removes the NULs at the end of a text. NULs between other characters are kept.</summary>
    public static string WithoutPadding(string text) => text.TrimEnd('\0');
}
