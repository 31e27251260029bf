using System.Globalization;

namespace Native.LibUsb.Generator.Emit;

/// <summary>Writes C's names and numbers in C#.</summary>
internal static class Identifiers
{
    // the keywords of C# that are not keywords in C
    private static readonly HashSet<string> s_keywords =
    [
        "abstract", "as", "base", "bool", "byte", "catch", "checked", "class", "decimal", "delegate", "event", "explicit", "false", "finally",
        "fixed", "foreach", "implicit", "in", "interface", "internal", "is", "lock", "namespace", "new", "null", "object", "operator", "out",
        "override", "params", "private", "protected", "public", "readonly", "ref", "sbyte", "sealed", "stackalloc", "string", "this", "throw",
        "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual",
    ];

    public static string Escape(string name) => s_keywords.Contains(name) ? "@" + name : name;

    /// <summary>Returns a number in the base in which the header has it.</summary>
    public static string Number(long value, bool hexadecimal)
    {
        if (!hexadecimal || value < 0)
            return value.ToString(CultureInfo.InvariantCulture);
        return "0x" + value.ToString(value <= 0xFF ? "X2" : value <= 0xFFFF ? "X4" : value <= 0xFFFFFFFF ? "X8" : "X16", CultureInfo.InvariantCulture);
    }
}
