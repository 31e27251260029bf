using System.Text.RegularExpressions;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>A row of docs/parity.md: something that python-libusb1 offers, what takes its place here, and what tests that.</summary>
/// <param name="Line">Where it stands, from 1.</param>
/// <param name="Subject">The first cell.</param>
/// <param name="Members">The names in the second cell; none if it says that there is nothing.</param>
/// <param name="Tests">The names in the third cell; none if it says that there is nothing.</param>
/// <param name="Note">The fourth cell.</param>
internal sealed record ParityRow(int Line, string Subject, IReadOnlyList<string> Members, IReadOnlyList<string> Tests, string Note);

/// <summary>Reads the tables of docs/parity.md.</summary>
internal static partial class ParityTable
{
    private const string Head = "| usb1 | C# | test | note |";
    private const string Rule = "|---|---|---|---|";
    private const string Nothing = "—";

    internal static string Path { get; } = Repository.PathOf("docs", "parity.md");

    /// <summary>The rows of all tables in <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">A row is not what a row must be. The message has its line.</exception>
    internal static List<ParityRow> Read(string text)
    {
        var rows = new List<ParityRow>();
        string[] lines = text.Split('\n');
        bool inTable = false;
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith('|'))
                inTable = false;
            else if (inTable)
                rows.Add(ReadRow(i + 1, lines[i]));
            else if (lines[i] == Head && i + 1 < lines.Length && lines[i + 1] == Rule)
                (inTable, i) = (true, i + 1);
            else
                throw new FormatException($"docs/parity.md:{i + 1}: a table begins with '{Head}' and '{Rule}'");
        }

        return rows;
    }

    private static ParityRow ReadRow(int line, string text)
    {
        string[] cells = text.Split('|');
        if (cells.Length != 6 || cells[5].Length != 0)
            throw new FormatException($"docs/parity.md:{line}: a row has four cells, and '|' after the last one");
        string subject = cells[1].Trim(), note = cells[4].Trim();
        if (subject.Length == 0)
            throw new FormatException($"docs/parity.md:{line}: the first cell is empty");
        string[] members = ReadNames(line, subject, cells[2].Trim()), tests = ReadNames(line, subject, cells[3].Trim());
        if ((members.Length == 0 || tests.Length == 0) && note.Length == 0)
            throw new FormatException($"docs/parity.md:{line}: {subject}: the note does not say why there is no member or no test");
        return new ParityRow(line, subject, members, tests, note);
    }

    private static string[] ReadNames(int line, string subject, string cell)
    {
        if (cell == Nothing)
            return [];
        if (!NamesPattern().IsMatch(cell))
            throw new FormatException($"docs/parity.md:{line}: {subject}: '{cell}' is neither names in back quotes with ', ' between them nor '{Nothing}'");
        return [.. cell.Split(", ").Select(name => name.Trim('`'))];
    }

    [GeneratedRegex("^`[^`, ]+`(, `[^`, ]+`)*$")]
    private static partial Regex NamesPattern();
}
