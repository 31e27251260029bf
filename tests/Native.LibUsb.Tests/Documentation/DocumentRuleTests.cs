using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>
/// Tests that README.md and CONTRIBUTING.md stay short, and that the links and file names in the documents refer to existing files of the repository.
/// </summary>
public sealed partial class DocumentRuleTests
{
    private static readonly string[] s_folders = ["docs", "bench", "generator", "src"];

    private static readonly string[] s_sources = [.. s_folders, "eng", "tests"];

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

    [Fact]
    public void Every_file_that_CONTRIBUTING_names_exists() => Assert.Empty(FindMissingFiles(File.ReadAllText(Repository.PathOf("CONTRIBUTING.md"))));

    [Fact]
    public void A_name_of_a_missing_file_is_found() =>
        Assert.Equal(["Nothing.cs", "Transfers/UsbDevice.cs"], FindMissingFiles("`Nothing.cs` `UsbDevice.cs` `Transfers/UsbDevice.cs` `src/*/PublicAPI.Unshipped.txt` `eng/setup.sh check`"));

    // The text may name a file without its first folders.
    private static IEnumerable<string> FindMissingFiles(string text)
    {
        string[] files =
        [
            .. Directory.EnumerateFiles(Repository.Root),
            .. s_sources.SelectMany(static folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories)),
        ];
        return FilePattern().Matches(text).Select(static match => match.Groups["name"].Value)
            .Where(name => !files.Any(file => file.EndsWith('/' + name, StringComparison.Ordinal)));
    }

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

    [GeneratedRegex("`(?<name>[A-Za-z0-9_./-]+\\.(cs|sh|h|md|json|props|targets))`")]
    private static partial Regex FilePattern();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex CodePattern();
}
