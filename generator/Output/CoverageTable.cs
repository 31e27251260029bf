using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Native.LibUsb.Generator.Model;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator.Output;

/// <summary>
/// Formats the README's table of the declarations in libusb.h. For each kind of declaration, the table contains the number of declarations that each version
/// introduced, and the number of bound declarations.
/// </summary>
internal static class CoverageTable
{
    /// <param name="header">The declarations.</param>
    /// <param name="settings">The versions of the declarations, and the declarations that are not generated.</param>
    /// <param name="interop">The folder of the hand-written part of the raw layer. If this part contains a function, the function counts as bound even if it
    /// is not generated.</param>
    public static string Format(CHeader header, GeneratorSettings settings, string interop)
    {
        SinceSettings since = settings.Since ?? throw new GeneratorException("settings.json: error: the table needs 'since'");
        string written = string.Concat(Directory.EnumerateFiles(interop, "*.cs").Order(StringComparer.Ordinal).Select(File.ReadAllText));
        var imports = header.Functions.Where(function => !function.IsInline).Select(function => function.Name).ToList();
        var inlines = header.Functions.Where(function => function.IsInline).Select(function => function.Name).ToList();
        List<(string Kind, OrderedDictionary<string, string> Since, int Bound)> rows =
        [
            ("functions", since.Functions, imports.Count(name => !settings.Exclude.Functions.ContainsKey(name) || IsWritten(name))),
            ("inline functions", since.Inlines, inlines.Count(IsWritten)),
            ("records", since.Records, header.Records.Count),
            ("enums", since.Enums, header.Enums.Count),
            ("callback types", since.Callbacks, header.Callbacks.Count),
            ("constants", since.Constants, header.Constants.Count),
        ];

        var versions = rows.SelectMany(row => row.Since.Values).Distinct().OrderBy(Version.Parse).ToList();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"| libusb.h | up to {string.Join(" | ", versions)} | bound |\n|---|{string.Concat(versions.Select(_ => "--:|"))}--:|\n");
        foreach ((string? kind, OrderedDictionary<string, string>? names, int bound) in rows)
        {
            IEnumerable<string> counts = versions.Select(version => names.Values.Count(value => value == version)).Select(count => count == 0 ? "" : $"{count}");
            text.Append(CultureInfo.InvariantCulture, $"| {kind} | {string.Join(" | ", counts)} | {bound} of {names.Count} |\n");
        }

        return text.ToString();

        bool IsWritten(string name) => Regex.IsMatch(written, $@"public static [\w*<>, ]+ {name}\(");
    }
}
