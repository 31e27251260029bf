using System.Globalization;
using System.Text;

namespace Native.LibUsb.Generator.Output;

/// <summary>Formats the difference between two texts as <c>diff -u</c> does.</summary>
internal static class UnifiedDiff
{
    private const int Context = 3;

    /// <summary>Returns the difference; an empty text if there is none.</summary>
    public static string Format(string name, string before, string after)
    {
        if (before == after)
            return "";
        List<(char Kind, string Line)> edits = Edits(before.Split('\n'), after.Split('\n'));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"--- {name} (in the repository)\n+++ {name} (generated)\n");
        (int before, int after) position = (before: 1, after: 1);
        for (int i = 0; i < edits.Count;)
        {
            // A hunk extends from three lines before its first change to three lines after its last change. If two changes are at most six lines apart, they
            // are in the same hunk.
            int first = edits.FindIndex(i, edit => edit.Kind != ' ');
            if (first < 0)
                break;
            int last = first;
            for (int j = first; j < edits.Count && j <= last + 2 * Context; j++)
                if (edits[j].Kind != ' ')
                    last = j;
            (int start, int end) = (Math.Max(i, first - Context), Math.Min(edits.Count, last + Context + 1));

            position = Advance(position, edits[i..start]);
            List<(char Kind, string Line)> hunk = edits[start..end];
            (int before, int after) length = Advance((0, 0), hunk);
            text.Append(CultureInfo.InvariantCulture, $"@@ -{position.before},{length.before} +{position.after},{length.after} @@\n");
            foreach ((char kind, string? line) in hunk)
                text.Append(kind).Append(line).Append('\n');
            position = Advance(position, hunk);
            i = end;
        }

        return text.ToString();
    }

    private static (int before, int after) Advance((int before, int after) position, List<(char Kind, string Line)> edits) =>
        (position.before + edits.Count(edit => edit.Kind != '+'), position.after + edits.Count(edit => edit.Kind != '-'));

    // Computes the longest common subsequence of the lines that remain after the equal lines at both ends.
    private static List<(char Kind, string Line)> Edits(string[] before, string[] after)
    {
        int head = 0;
        while (head < before.Length && head < after.Length && before[head] == after[head])
            head++;
        int tail = 0;
        while (tail < before.Length - head && tail < after.Length - head && before[^(tail + 1)] == after[^(tail + 1)])
            tail++;

        (int rows, int columns) = (before.Length - head - tail, after.Length - head - tail);
        int[,] common = new int[rows + 1, columns + 1];
        for (int i = rows - 1; i >= 0; i--)
            for (int j = columns - 1; j >= 0; j--)
                common[i, j] = before[head + i] == after[head + j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);

        var edits = before.Take(head).Select(line => (' ', line)).ToList();
        for (int i = 0, j = 0; i < rows || j < columns;)
        {
            if (i < rows && j < columns && before[head + i] == after[head + j])
            {
                edits.Add((' ', before[head + i++]));
                j++;
            }

            else if (i < rows && (j == columns || common[i + 1, j] >= common[i, j + 1]))
                edits.Add(('-', before[head + i++]));
            else
                edits.Add(('+', after[head + j++]));
        }

        edits.AddRange(before.TakeLast(tail).Select(line => (' ', line)));
        return edits;
    }
}
