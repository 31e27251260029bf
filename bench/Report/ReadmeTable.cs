namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the table that the README shows, between two comments.</summary>
internal static class ReadmeTable
{
    private const string Begin = "<!-- results: written by eng/bench.sh -->\n", End = "<!-- results end -->\n";

    public static void Replace(string path, string table)
    {
        string text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
            throw new InvalidOperationException($"{path} has no place for the table.");
        File.WriteAllText(path, string.Concat(text.AsSpan(0, begin + Begin.Length), table, text.AsSpan(end)));
    }
}
