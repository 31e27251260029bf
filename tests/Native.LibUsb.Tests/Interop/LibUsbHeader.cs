using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Represents the repository's libusb.h together with one version of libusb's own header, after the C preprocessor has processed both files. The tests read
/// only the output of the preprocessor.
/// </summary>
internal sealed partial class LibUsbHeader
{
    private readonly string[] _options;

    private LibUsbHeader(string name, string? includeFolder)
    {
        Name = name;
        _options = includeFolder is null ? [] : ["-I", includeFolder];
        Text = CCompiler.Run(Preamble, [.. _options, "-E", "-P"]);
        string macros = CCompiler.Run(Preamble, [.. _options, "-E", "-dM"]);

        // The pattern skips function pointer types, whose names are in parentheses. The pattern also matches calls in inline functions. These matches are
        // harmless, because inline functions call only declared functions.
        Functions = [.. FunctionPattern().Matches(Text).Select(match => match.Groups[1].Value).Distinct()];
        InlineFunctions = [.. InlinePattern().Matches(Text).Select(match => match.Groups[1].Value)];
        EnumMembers = [.. EnumPattern().Matches(Text).SelectMany(body => MemberPattern().Matches(body.Groups[1].Value)).Select(match => WithoutMark(match.Groups[1].Value)).Distinct()];
        MacroConstants = [.. MacroPattern().Matches(macros).Select(match => match.Groups[1].Value)];
    }

    /// <summary>Gets the installed header, and the headers of other versions that eng/fetch-libusb.sh has put into the build output.</summary>
    internal static IReadOnlyList<LibUsbHeader> All { get; } = FindAll();

    internal string Name { get; }

    /// <summary>Gets the preprocessed text.</summary>
    internal string Text { get; }

    /// <summary>Gets the names of all declared functions, including the inline functions.</summary>
    internal IReadOnlyList<string> Functions { get; }

    internal IReadOnlyList<string> InlineFunctions { get; }

    internal IReadOnlyList<string> EnumMembers { get; }

    /// <summary>Gets the names of the macros that have a value.</summary>
    internal IReadOnlyList<string> MacroConstants { get; }

    // The tests compare C declarations with C# pointer types, which have no `const`. The macro therefore removes `const` from the declarations. The system
    // headers need `const`, and are therefore included before the macro.
    private static string Preamble => $"""
        #include <limits.h>
        #include <stddef.h>
        #include <stdint.h>
        #include <sys/types.h>
        #include <sys/time.h>
        #include <time.h>
        #define const
        #include "{Repository.PathOf("libusb.h")}"

        """;

    /// <summary>Compiles statements after the header, without output.</summary>
    internal (int ExitCode, string Errors) TryCompile(string source)
    {
        (int exitCode, _, string errors) = CCompiler.TryRun(
            Preamble + source, [.. _options, "-std=gnu11", "-Wall", "-Werror", "-Wno-deprecated-declarations", "-fsyntax-only"]);
        return (exitCode, errors);
    }

    /// <summary>Compiles a shared library against this header.</summary>
    internal void BuildLibrary(string source, string path) =>
        CCompiler.Run(
            Preamble + source,
            [.. _options, "-std=gnu11", "-O1", "-Wall", "-Werror", "-Wno-deprecated-declarations", "-shared", "-fPIC", "-o", path]);

    /// <summary>
    /// Gets the name that this header uses for a member of an enumeration. In an older header of libusb, the member may be missing or have another value. In C,
    /// another header cannot add the member to the enumeration or change its value. The repository's libusb.h therefore declares such a member in another
    /// enumeration, under a name with a suffix.
    /// </summary>
    internal string EnumMember(string name)
    {
        foreach (string mark in (string[])["__changed", "__added"])
        {
            if (Regex.IsMatch(Text, $@"\b{name}{mark}\b"))
                return name + mark;
        }
        return name;
    }

    /// <summary>Gets the C type of an enumeration. Two enumerations of libusb.h have only a typedef name.</summary>
    internal string EnumType(string name) => Regex.IsMatch(Text, $@"\benum {name}\b") ? "enum " + name : name;

    public override string ToString() => Name;

    private static List<LibUsbHeader> FindAll()
    {
        var headers = new List<LibUsbHeader> { new("installed", null) };
        string fetched = Repository.PathOf("artifacts", "libusb");
        if (Directory.Exists(fetched))
        {
            foreach (string suite in Directory.GetDirectories(fetched).Order(StringComparer.Ordinal))
            {
                string includes = Path.Combine(suite, "root", "usr", "include");
                if (File.Exists(Path.Combine(includes, "libusb-1.0", "libusb.h")))
                    headers.Add(new LibUsbHeader(Path.GetFileName(suite), includes));
            }
        }
        return headers;
    }

    private static string WithoutMark(string member) => member.Replace("__added", "", StringComparison.Ordinal).Replace("__changed", "", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<!\()\b(libusb_\w+)\s*\([^;{]*\)\s*[;{]")]
    private static partial Regex FunctionPattern();

    [GeneratedRegex(@"static inline [^;{(]*\b(libusb_\w+)\s*\(")]
    private static partial Regex InlinePattern();

    [GeneratedRegex(@"\benum\b[^;{(]*\{([^}]*)\}")]
    private static partial Regex EnumPattern();

    [GeneratedRegex(@"\b(LIBUSB_\w+)\s*(?:=|,|$)", RegexOptions.Multiline)]
    private static partial Regex MemberPattern();

    // The pattern matches macros for numbers. The pattern does not match include guards, empty macros, attributes or calling conventions.
    [GeneratedRegex(@"^#define (LIBUSBX?_(?!CALLV?\b|PACKED\b|FLEXIBLE_ARRAY\b|H\b)\w+) +\S", RegexOptions.Multiline)]
    private static partial Regex MacroPattern();
}
