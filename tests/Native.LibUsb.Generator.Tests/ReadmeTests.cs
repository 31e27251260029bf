namespace Native.LibUsb.Generator.Tests;

public class ReadmeTests
{
    private const string Begin = "<!-- table -->\n";
    private const string End = "<!-- /table -->";

    /// <summary>Tests that the table in the README contains the counts that the generator prints.</summary>
    [Fact]
    public void The_table_in_the_README_is_the_one_that_the_generator_prints()
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int code = new CommandLine(output, error).Run(["table", "--root", TestRepository.Instance.Root]);
        Assert.Equal((0, ""), (code, error.ToString()));

        string readme = File.ReadAllText(Path.Combine(TestRepository.Instance.Root, "README.md"));
        int begin = readme.IndexOf(Begin, StringComparison.Ordinal);
        int end = readme.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"README.md has no table between '{Begin.TrimEnd()}' and '{End}'.");
        string table = readme[(begin + Begin.Length)..end];
        Assert.True(
            table == output.ToString(),
            $"The table in README.md is out of date. Put the output of eng/generate.sh table between the two comments:\n\n{output}\nREADME.md has:\n\n{table}");
    }
}
