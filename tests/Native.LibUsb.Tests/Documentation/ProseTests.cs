using System.Diagnostics;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>
/// Tests that <c>eng/prose.sh</c> reports sentences that break a rule of CONTRIBUTING.md, and that the repository contains no such sentences.
/// </summary>
public sealed class ProseTests
{
    [Theory]
    [InlineData("Whoever ends the last use closes it.")] // prose: counterexample
    [InlineData("Transfers tell no packets.")] // prose: counterexample
    [InlineData("It is waited for for ever.")] // prose: counterexample
    [InlineData("What one transfer brought, to a reader.")] // prose: counterexample
    [InlineData("Whether who writes a ring is told.")] // prose: counterexample
    [InlineData("Nobody else asks meanwhile.")] // prose: counterexample
    [InlineData("<summary>The bytes of one transfer.</summary>")] // prose: counterexample
    public void A_sentence_that_breaks_a_rule_is_reported(string sentence)
    {
        (int exit, string output) = Check(sentence);
        Assert.Equal(1, exit);
        Assert.StartsWith($"-:1: {sentence.Replace("<summary>", "").Replace("</summary>", "")}: ", output);
    }

    [Theory]
    [InlineData("The thread that ends the last use closes the handle.")]
    [InlineData("An isochronous transfer that does not complete reports no packets.")]
    [InlineData("Dispose waits until the device is unplugged.")]
    [InlineData("What does a transfer cost?")]
    [InlineData("<summary>Gets the bytes of one transfer.</summary>")]
    [InlineData("<summary>Occurs when a device is unplugged.</summary>")]
    [InlineData("<!-- prose: counterexample -->\nTransfers tell no packets.")]
    public void A_sentence_that_breaks_no_rule_is_not_reported(string text) => Assert.Equal((0, ""), Check(text));

    [Fact]
    public void A_report_names_the_line_in_the_kind_of_file()
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "A.cs");
        File.WriteAllText(file, """
            /// <summary>Represents a ring. Nobody reads it.</summary>
            class A
            {
                // A comment of two lines
                // tells nothing.
                string Message => $"The {nameof(A)} is waited for here.";
                void NAME() { }
            }
            """.Replace("NAME", "Its_name_tells_nothing")); // prose: counterexample
        (int exit, string output) = Run([file]);
        Assert.Equal(1, exit);
        Assert.Equal([1, 4, 6, 7], output.TrimEnd().Split('\n').Select(line => int.Parse(line[(file.Length + 1)..].Split(':')[0])));
    }

    [Fact]
    public void The_repository_has_no_report() => Assert.Equal((0, ""), Run([]));

    private static (int Exit, string Output) Check(string text) => Run(["-"], text);

    private static (int Exit, string Output) Run(string[] arguments, string input = "")
    {
        using Watchdog watchdog = new(seconds: 60);
        var start = new ProcessStartInfo(Repository.PathOf("eng", "prose.sh"), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
