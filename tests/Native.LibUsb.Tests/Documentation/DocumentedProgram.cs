using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Represents a C# block of a document. The block is a complete program. A comment above the block specifies how the test runs the program.</summary>
/// <remarks>
/// The comment is <c>&lt;!-- run on: DEVICE; last line: TEXT --&gt;</c>. DEVICE is either the words <c>no device</c> or the name of a model that <c>usbvbus run
/// --device</c> accepts. TEXT is the last line that the program writes. Blank lines may follow the comment. A reader can paste each block unchanged into the
/// Program.cs of a new console project.
/// </remarks>
/// <param name="Document">The path of the document, relative to the repository.</param>
/// <param name="Line">The line number of the first fence, counted from 1.</param>
/// <param name="Code">The text between the fences.</param>
/// <param name="Device">The device that the comment names; null if the block has no such comment.</param>
/// <param name="LastLine">The last line of the program's output; null if the block has no such comment.</param>
internal sealed partial record DocumentedProgram(string Document, int Line, string Code, string? Device, string? LastLine)
{
    private const string NoDevice = "no device";

    /// <summary>Gets whether the comment requests a bus without devices.</summary>
    public bool NeedsNoDevice => Device == NoDevice;

    /// <summary>Gets the document and the line of the block, in the format that editors recognize.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture, $"{Document}:{Line}");

    /// <summary>Reads all C# blocks of README.md and of the documents in docs/.</summary>
    public static IReadOnlyList<DocumentedProgram> ReadAll() =>
    [
        .. Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Prepend(Repository.PathOf("README.md"))
            .SelectMany(file => Read(Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file))),
    ];

    /// <summary>Reads all C# blocks of a document.</summary>
    /// <exception cref="FormatException">A block has no closing fence.</exception>
    public static IEnumerable<DocumentedProgram> Read(string document, string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        Match comment = Match.Empty;
        for (int i = 0; i < lines.Length; i++)
        {
            if (FencePattern().Match(lines[i]) is not { Success: true } fence)
            {
                if (lines[i].Trim().Length > 0)
                    comment = CommentPattern().Match(lines[i]);
                continue;
            }

            int first = i;
            do
            {
                if (++i == lines.Length)
                    throw new FormatException($"{document}:{first + 1}: the block does not end.");
            }
            while (lines[i].Trim() != fence.Groups["fence"].Value);
            if (LanguagePattern().IsMatch(fence.Groups["language"].Value))
            {
                string code = string.Join('\n', lines[(first + 1)..i]) + "\n";
                yield return new DocumentedProgram(document, first + 1, code, Group("device"), Group("last"));
            }

            comment = Match.Empty;
        }

        string? Group(string name) => comment.Groups[name] is { Success: true, Value: var value } ? value : null;
    }

    public override string ToString() => Place;

    [GeneratedRegex("^\\s*(?<fence>```+|~~~+)\\s*(?<language>[^\\s`{]*)")]
    private static partial Regex FencePattern();

    [GeneratedRegex("^(c#|cs|csharp)$", RegexOptions.IgnoreCase)]
    private static partial Regex LanguagePattern();

    [GeneratedRegex("^<!-- run on: (?<device>[^;]+); last line: (?<last>.+) -->$")]
    private static partial Regex CommentPattern();
}
