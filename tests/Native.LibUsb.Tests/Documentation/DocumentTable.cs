using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Represents a row of a table. Each row contains the names of members and tests.</summary>
/// <param name="Line">The line number of the row, counted from 1.</param>
/// <param name="Section">The heading above the row, without its number signs; empty if there is no heading.</param>
/// <param name="Subject">The text of the first cell.</param>
/// <param name="Members">The names in the second cell. If the cell is a dash, the list is empty.</param>
/// <param name="Tests">The names in the third cell. If the cell is a dash, the list is empty.</param>
/// <param name="Note">The text of the fourth cell.</param>
internal sealed record DocumentRow(int Line, string Section, string Subject, IReadOnlyList<string> Members, IReadOnlyList<string> Tests, string Note);

/// <summary>Represents the tables of a document. Each row describes a behavior of the library and names the tests of this behavior.</summary>
/// <param name="name">The path of the document, relative to the repository.</param>
/// <param name="secondCellIsText">True if the second cell contains prose with names in backquotes; false if the cell contains only names.</param>
/// <param name="heads">The header rows with which the tables of the document may begin.</param>
internal sealed partial class DocumentTable(string name, bool secondCellIsText, params string[] heads)
{
    private const string Rule = "|---|---|---|---|";
    private const string Nothing = "—";

    /// <summary>Gets the table of usb1's members and of the members that replace them in this library.</summary>
    internal static DocumentTable Parity { get; } = new("docs/parity.md", secondCellIsText: false, "| usb1 | C# | test | note |");

    /// <summary>Gets the tables of libusb's traps, which also describe how this library avoids them.</summary>
    internal static DocumentTable Traps { get; } =
        new("docs/traps.md", secondCellIsText: true, "| trap | what the facade does | test | note |", "| defect | what happens here | test | note |");

    /// <summary>Gets the text of the document.</summary>
    internal string Text => File.ReadAllText(Repository.PathOf(name.Split('/')));

    /// <summary>Gets the rows of all tables in <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">A row is malformed. The message contains the line number of the row.</exception>
    internal List<DocumentRow> Read(string text)
    {
        var rows = new List<DocumentRow>();
        string[] lines = text.Split('\n');
        string section = "";
        bool inTable = false;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('#'))
                section = lines[i].TrimStart('#').Trim();
            if (!lines[i].StartsWith('|'))
                inTable = false;
            else if (inTable)
                rows.Add(ReadRow(i + 1, section, lines[i]));
            else if (heads.Contains(lines[i]) && i + 1 < lines.Length && lines[i + 1] == Rule)
                (inTable, i) = (true, i + 1);
            else
                throw Fault(i + 1, $"a table begins with '{string.Join("' or '", heads)}' and '{Rule}'");
        }

        return rows;
    }

    /// <summary>Finds the members and tests that a row names and that do not exist.</summary>
    internal IEnumerable<string> Faults(DocumentRow row) =>
        row.Members.Where(member => !NameLookup.MemberExists(member)).Select(member => $"{name}:{row.Line}: {row.Subject}: there is no public member {member}")
            .Concat(row.Tests.Where(test => !NameLookup.TestExists(test)).Select(test => $"{name}:{row.Line}: {row.Subject}: there is no test {test}"));

    private DocumentRow ReadRow(int line, string section, string text)
    {
        string[] cells = text.Split('|');
        if (cells.Length != 6 || cells[5].Length != 0)
            throw Fault(line, "a row has four cells, and '|' after the last one");
        string subject = cells[1].Trim(), second = cells[2].Trim(), note = cells[4].Trim();
        if (subject.Length == 0)
            throw Fault(line, "the first cell is empty");
        if (second.Length == 0)
            throw Fault(line, $"{subject}: the second cell is empty");
        string[] members = secondCellIsText ? [.. QuotedPattern().Matches(second).Select(match => match.Groups[1].Value)] : ReadNames(line, subject, second);
        string[] tests = ReadNames(line, subject, cells[3].Trim());
        if ((tests.Length == 0 || (members.Length == 0 && !secondCellIsText)) && note.Length == 0)
            throw Fault(line, $"{subject}: the note does not give the reason for a missing member or test");
        return new DocumentRow(line, section, subject, members, tests, note);
    }

    private string[] ReadNames(int line, string subject, string cell)
    {
        if (cell == Nothing)
            return [];
        if (!NamesPattern().IsMatch(cell))
            throw Fault(line, $"{subject}: '{cell}' is neither names in back quotes with ', ' between them nor '{Nothing}'");
        return [.. cell.Split(", ").Select(quoted => quoted.Trim('`'))];
    }

    private FormatException Fault(int line, string what) => new($"{name}:{line}: {what}");

    [GeneratedRegex("^`[^`, ]+`(, `[^`, ]+`)*$")]
    private static partial Regex NamesPattern();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex QuotedPattern();
}
