using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Generator.Clang;

/// <summary>Represents a macro of the interface.</summary>
/// <param name="TakesArguments">Whether the macro takes arguments like a function.</param>
internal sealed partial record Macro(string Name, SourceLocation Location, string Body, bool TakesArguments)
{
    /// <summary>Finds the macros in preprocessed text that still contains their definitions.</summary>
    /// <param name="preprocessed">The output of <c>clang -E -dD</c>.</param>
    /// <param name="isInterface">Selects the files whose macros are returned.</param>
    public static IReadOnlyList<Macro> Read(string preprocessed, Func<string, bool> isInterface)
    {
        var macros = new OrderedDictionary<string, Macro>();
        string file = "";
        int line = 0;
        foreach (string text in preprocessed.Split('\n'))
        {
            if (LineMarker().Match(text) is { Success: true } marker)
            {
                line = int.Parse(marker.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                file = marker.Groups[2].Value;
                continue;
            }

            if (isInterface(file))
            {
                if (Definition().Match(text) is { Success: true } definition)
                {
                    string name = definition.Groups[1].Value;
                    macros[name] = new Macro(name, new SourceLocation(file, line, 0, 0), definition.Groups[3].Value.Trim(), definition.Groups[2].Success);
                }
                else if (Removal().Match(text) is { Success: true } removal)
                {
                    macros.Remove(removal.Groups[1].Value);
                }
            }

            line++;
        }

        return [.. macros.Values];
    }

    [GeneratedRegex("""^# (\d+) "(.*?)"[ 0-9]*$""")]
    private static partial Regex LineMarker();

    [GeneratedRegex(@"^#define (\w+)(\(.*?\))?(?: (.*))?$")]
    private static partial Regex Definition();

    [GeneratedRegex(@"^#undef (\w+)")]
    private static partial Regex Removal();
}
