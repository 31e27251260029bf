using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>
/// Represents a page of docs/design. The page describes the problem that a subsystem solves. It lists numbered invariants, each with the tests that check the
/// invariant. It also describes the rejected alternatives.
/// </summary>
/// <remarks>
/// An invariant is a list item that ends with the names of its tests: <c>1. Text. (`Class.Method`, `Class.Method`)</c>. Continuation lines of an item are
/// indented by three spaces. Third-level headings may group the items. The section of the invariants contains no other text.
/// </remarks>
/// <param name="name">The path of the page, relative to the repository.</param>
/// <param name="text">The text of the page.</param>
internal sealed partial class DesignPage(string name, string text)
{
    private const string Invariants = "Invariants";

    private static readonly string[] s_sections = ["The problem", Invariants, "Alternatives"];

    private readonly string[] _lines = text.ReplaceLineEndings("\n").Split('\n');

    /// <summary>Reads all pages of docs/design.</summary>
    public static IEnumerable<DesignPage> ReadAll() => Directory.EnumerateFiles(Repository.PathOf("docs", "design"), "*.md", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal)
        .Select(static file => new DesignPage(Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file)));

    /// <summary>Finds missing sections, malformed invariants, and invariants with names of nonexistent tests.</summary>
    /// <param name="tests">The names of all tests.</param>
    public IEnumerable<string> FindFaults(IReadOnlySet<string> tests)
    {
        foreach (string section in s_sections)
        {
            if (!LinesOf(section).Any(line => IsText(_lines[line])))
                yield return $"{name}: the section '{section}' is missing or empty";
        }

        int expected = 0;
        foreach ((int line, string item) in Items())
        {
            expected++;
            if (ItemPattern().Match(item) is not { Success: true } match)
                yield return Fault(line, $"'{item}' is not an item of the numbered list");
            else if (int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture) != expected)
                yield return Fault(line, string.Create(CultureInfo.InvariantCulture, $"the invariant has the number {match.Groups["number"].Value} instead of {expected}"));
            else if (TestsPattern().Match(item) is not { Success: true } names)
                yield return Fault(line, $"invariant {match.Groups["number"].Value} does not end with '(`Class.Method`)'");
            else
            {
                foreach (string test in names.Groups["tests"].Value.Split(", ").Select(static quoted => quoted.Trim('`')).Where(test => !tests.Contains(test)))
                    yield return Fault(line, $"there is no test {test}");
            }
        }
    }

    // The method appends each continuation line to its item.
    private IEnumerable<(int Line, string Item)> Items()
    {
        (int Line, string Item)? current = null;
        foreach (int line in LinesOf(Invariants).Where(line => IsText(_lines[line])))
        {
            if (current is { } item && _lines[line].StartsWith("   ", StringComparison.Ordinal))
            {
                current = (item.Line, $"{item.Item} {_lines[line].Trim()}");
                continue;
            }

            if (current is { } complete)
                yield return complete;
            current = (line, _lines[line]);
        }

        if (current is { } last)
            yield return last;
    }

    private IEnumerable<int> LinesOf(string section) => Enumerable.Range(0, _lines.Length)
        .SkipWhile(line => _lines[line] != $"## {section}")
        .Skip(1)
        .TakeWhile(line => !_lines[line].StartsWith("## ", StringComparison.Ordinal));

    private static bool IsText(string line) => line.Trim().Length > 0 && !line.StartsWith('#');

    private string Fault(int line, string what) => string.Create(CultureInfo.InvariantCulture, $"{name}:{line + 1}: {what}");

    [GeneratedRegex("^(?<number>[1-9][0-9]*)\\. \\S")]
    private static partial Regex ItemPattern();

    [GeneratedRegex("^[0-9]+\\. \\S.* \\((?<tests>`[A-Za-z0-9_]+\\.[A-Za-z0-9_]+`(, `[A-Za-z0-9_]+\\.[A-Za-z0-9_]+`)*)\\)$")]
    private static partial Regex TestsPattern();
}
