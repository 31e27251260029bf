using System.Globalization;

namespace Native.LibUsb;

/// <summary>Writes parts of the texts that descriptors return.</summary>
internal static class DescriptorText
{
    /// <summary>Writes a count with its noun: <c>1 endpoint</c>, <c>2 endpoints</c>.</summary>
    public static string Count(int count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
