using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that the documents stay short, and that their links lead to files of the repository.</summary>
public sealed partial class DocumentRuleTests
{
    private static readonly string[] s_folders = ["docs", "bench", "generator", "src"];

    [Theory]
    [InlineData("README.md", 150)]
    [InlineData("CONTRIBUTING.md", 80)]
    public void A_first_page_stays_short(string name, int lines) => Assert.InRange(File.ReadLines(Repository.PathOf(name)).Count(), 1, lines);

    [Fact]
    public void Every_link_leads_to_a_file()
    {
        IEnumerable<string> files = s_folders.SelectMany(static folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"));
        string[] faults = [.. files.Order(StringComparer.Ordinal).SelectMany(static file => FindBrokenLinks(Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void A_link_to_no_file_is_found_with_its_line() => Assert.Equal(
        ["docs/x.md:2: nothing.md does not exist"],
        FindBrokenLinks("docs/x.md", "[a](parity.md#usb) [b](../README.md) [c](https://example.org/x)\n[d](nothing.md) [e](#part) `[f](code.md)`"));

    private static IEnumerable<string> FindBrokenLinks(string name, string text)
    {
        string folder = Path.GetDirectoryName(Repository.PathOf(name))!;
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            foreach (Match match in LinkPattern().Matches(CodePattern().Replace(lines[i], "")))
            {
                string target = match.Groups["target"].Value;
                if (!target.Contains(':', StringComparison.Ordinal) && !Path.Exists(Path.Combine(folder, target)))
                    yield return string.Create(CultureInfo.InvariantCulture, $"{name}:{i + 1}: {target} does not exist");
            }
        }
    }

    [GeneratedRegex("\\]\\((?<target>[^)#\\s]+)(#[^)]*)?\\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex CodePattern();
}
