using System.Text;

namespace Native.LibUsb.Tests.PublicApi;

/// <summary>What two API texts do not have in common, sorted by type.</summary>
internal static class ApiDifference
{
    /// <summary>The lines that are missing (<c>-</c>) and new (<c>+</c>), below the type that they belong to; nothing if the texts are equal.</summary>
    internal static string Describe(string approved, string actual)
    {
        if (approved == actual)
            return "";
        List<(string Type, string Line)> before = Read(approved), after = Read(actual);
        var lines = before.Except(after).Select(one => (one.Type, Text: "- " + one.Line))
            .Concat(after.Except(before).Select(one => (one.Type, Text: "+ " + one.Line)))
            .GroupBy(one => one.Type).OrderBy(group => group.Key, StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var group in lines)
        {
            text.Append(group.Key).Append('\n');
            foreach ((_, string line) in group)
                text.Append("  ").Append(line).Append('\n');
        }

        return text.Length == 0 ? "only the order of the lines or the white space differs\n" : text.ToString();
    }

    private static List<(string Type, string Line)> Read(string text)
    {
        var lines = new List<(string, string)>();
        string type = "";
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            bool isMember = line.StartsWith(ApiText.Indent, StringComparison.Ordinal);
            if (!isMember)
                type = NameIn(line);
            lines.Add((type, line.Trim()));
        }

        return lines;
    }

    // So that a type whose base or kind changes stays one type.
    private static string NameIn(string header) =>
        header.Split(' ').FirstOrDefault(word => word.StartsWith("Native.LibUsb", StringComparison.Ordinal))?.Split('(')[0] ?? header;
}
