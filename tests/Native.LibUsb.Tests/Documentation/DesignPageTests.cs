using Native.LibUsb.Tests.SourceRules;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that each page of docs/design is complete, and that all tests that its invariants name exist.</summary>
public sealed class DesignPageTests
{
    private const string Page = "## The problem\n\nText.\n\n## Invariants\n\n1. It works. (`ATests.It_works`)\n\n## Alternatives\n\nText.\n";

    private static readonly HashSet<string> s_tests = ["ATests.It_works", "ATests.It_lasts"];

    [Fact]
    public void Every_invariant_names_tests_that_exist()
    {
        DesignPage[] pages = [.. DesignPage.ReadAll()];
        Assert.NotEmpty(pages);
        IReadOnlySet<string> tests = TestNames.ReadAll();
        string[] faults = [.. pages.SelectMany(page => page.FindFaults(tests))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("1. It works. (`ATests.It_works`)")]
    [InlineData("1. It works. (`ATests.It_works`, `ATests.It_lasts`)")]
    [InlineData("1. It works on\n   two lines. (`ATests.It_works`,\n   `ATests.It_lasts`)\n\n2. It lasts. (`ATests.It_lasts`)")]
    [InlineData("### A group\n\n1. It works. (`ATests.It_works`)\n\n### Another group\n\n2. It lasts (see `UsbTransfer`). (`ATests.It_lasts`)")]
    public void A_complete_page_has_no_faults(string invariants) => Assert.Empty(FaultsOf(invariants));

    [Theory]
    [InlineData("1. It works. (`ATests.It_worked`)", "page.md:7: there is no test ATests.It_worked")]
    [InlineData("1. It works. (`ATests.It_works`, `It_lasts`)", "page.md:7: invariant 1 does not end with '(`Class.Method`)'")]
    [InlineData("1. It works.", "page.md:7: invariant 1 does not end with '(`Class.Method`)'")]
    [InlineData("1. It works. (ATests.It_works)", "page.md:7: invariant 1 does not end with '(`Class.Method`)'")]
    [InlineData("1. (`ATests.It_works`)", "page.md:7: invariant 1 does not end with '(`Class.Method`)'")]
    [InlineData("1. It works. (`ATests.It_works`)\n3. It lasts. (`ATests.It_lasts`)", "page.md:8: the invariant has the number 3 instead of 2")]
    [InlineData("- It works. (`ATests.It_works`)", "page.md:7: '- It works. (`ATests.It_works`)' is not an item of the numbered list")]
    [InlineData("", "page.md: the section 'Invariants' is missing or empty")]
    [InlineData("### A group", "page.md: the section 'Invariants' is missing or empty")]
    public void A_malformed_invariant_is_found(string invariants, string fault) => Assert.Equal(fault, Assert.Single(FaultsOf(invariants)));

    [Fact]
    public void An_empty_page_is_found() => Assert.Equal(
        [
            "page.md: the section 'The problem' is missing or empty",
            "page.md: the section 'Invariants' is missing or empty",
            "page.md: the section 'Alternatives' is missing or empty",
        ],
        new DesignPage("page.md", "").FindFaults(s_tests));

    [Fact]
    public void Tests_are_found_by_their_attributes()
    {
        const string Source = """
            class ATests
            {
                [Fact] public void First() { }
                [BusTheory, InlineData(1)] public async Task Second(int x) { }
                [Xunit.Fact(Skip = "why")] public void Third() { }
                public void Helper() { }
                [Obsolete] public void Another() { }
            }
            """;
        Assert.Equal(["ATests.First", "ATests.Second", "ATests.Third"], TestNames.Find(SourceFile.Parse("A.cs", Source)));
    }

    [Fact]
    public void Tests_of_every_project_are_found()
    {
        IReadOnlySet<string> tests = TestNames.ReadAll();
        Assert.Contains("DesignPageTests.Tests_of_every_project_are_found", tests);
        Assert.Contains("UsbTransferTests.Written_bytes_come_back", tests);       // tests/Scenarios
        Assert.Contains("TabletTests.The_position_that_was_sent_is_read", tests); // tests/KernelScenarios
        Assert.Contains("GoldenTests.Output_is_as_recorded", tests);              // tests/Native.LibUsb.Generator.Tests
    }

    private static IEnumerable<string> FaultsOf(string invariants) =>
        new DesignPage("page.md", Page.Replace("1. It works. (`ATests.It_works`)", invariants, StringComparison.Ordinal)).FindFaults(s_tests);
}
