using System.Globalization;
using System.Text.Json;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that the costs in the README equal those of the last full run of the benchmarks.</summary>
public sealed class BenchmarkResultTests
{
    private static readonly string[] s_subjects = ["aot-raw", "aot-facade", "aot-ring", "jit-facade", "python"];

    [Fact]
    public void The_table_of_the_README_has_the_ratios_of_the_results()
    {
        using JsonDocument results = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("bench", "results.json")));
        string[][] rows =
        [
            .. File.ReadLines(Repository.PathOf("README.md"))
                .SkipWhile(static line => line != "<!-- results: written by eng/bench.sh -->")
                .TakeWhile(static line => line != "<!-- results end -->")
                .Skip(3)                                               // the comment and the two lines of the head
                .Select(static line => line.Split('|')[1..^1].Select(static cell => cell.Trim()).ToArray()),
        ];
        Assert.NotEmpty(rows);
        foreach (string[] row in rows)
        {
            string work = results.RootElement.GetProperty("works").EnumerateArray()
                .Single(one => one.GetProperty("title").GetString() == row[0]).GetProperty("name").GetString()!;
            Assert.Equal(s_subjects.Select(subject => RatioOf(results, subject, work)), row[1..]);
        }
    }

    private static string RatioOf(JsonDocument results, string subject, string work)
    {
        JsonElement capture = results.RootElement.GetProperty("captures").EnumerateArray()
            .FirstOrDefault(one => one.GetProperty("subject").GetString() == subject && one.GetProperty("work").GetString() == work);
        return capture.ValueKind == JsonValueKind.Undefined
            ? ""
            : capture.GetProperty("ratio").GetProperty("median").GetDouble().ToString("0.00", CultureInfo.InvariantCulture);
    }
}
