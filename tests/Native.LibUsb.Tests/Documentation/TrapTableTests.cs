using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that all members and tests that docs/traps.md names exist, and that no trap is missing.</summary>
public sealed partial class TrapTableTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_named_member_and_test_exists()
    {
        List<DocumentRow> rows = DocumentTable.Traps.Read(DocumentTable.Traps.Text);
        Assert.NotEmpty(rows);
        string[] faults = [.. rows.SelectMany(DocumentTable.Traps.Faults)];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
        DocumentRow[] open = [.. rows.Where(row => row.Tests.Count == 0)];
        output.WriteLine($"{rows.Count - open.Length} of {rows.Count} rows have a test. The others:");
        foreach (DocumentRow row in open)
            output.WriteLine($"  {row.Line}: {row.Subject}: {row.Note}");
    }

    [Theory]
    [InlineData("Transfers", "T", 13)]
    [InlineData("Closing and exit", "C", 6)]
    [InlineData("Event handling", "E", 9)]
    [InlineData("Hotplug", "H", 6)]
    [InlineData("Devices and descriptors", "D", 7)]
    [InlineData("wrap_sys_device and NO_DEVICE_DISCOVERY", "W", 2)]
    [InlineData("Device memory", "M", 3)]
    [InlineData("Kernel limits", "K", 6)]
    [InlineData("Streams", "S", 1)]
    [InlineData("Log callback", "L", 2)]
    [InlineData("Defects of another binding, and the tests that would catch them here", "", 10)]
    public void Every_number_has_its_row(string section, string letter, int count)
    {
        IEnumerable<string> expected = Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{letter}{number}"));
        Assert.Equal(expected, DocumentTable.Traps.Read(DocumentTable.Traps.Text).Where(row => row.Section == section).Select(row => NumberPattern().Match(row.Subject).Value).Distinct());
    }

    [Fact]
    public void Only_traps_that_cannot_be_tested_here_have_no_test()
    {
        foreach (DocumentRow row in DocumentTable.Traps.Read(DocumentTable.Traps.Text).Where(row => row.Tests.Count == 0))
            Assert.Matches("^(Windows|macOS|Cannot be reached|No trap)", row.Note);
    }

    [Theory]
    [InlineData("| T1 x | `UsbTransfer.Sumbit` refuses it | — | why |", "docs/traps.md:3: T1 x: there is no public member UsbTransfer.Sumbit")]
    [InlineData("| T1 x | it is refused by `UsbTransfer.Submit` | `UsbTransferTests.Open` | |", "docs/traps.md:3: T1 x: there is no test UsbTransferTests.Open")]
    public void A_name_that_does_not_exist_is_found(string row, string fault) => Assert.Equal(fault, Assert.Single(Read(row).SelectMany(DocumentTable.Traps.Faults)));

    [Theory]
    [InlineData("| T1 x | it is refused | — | |")]
    [InlineData("| T1 x | it is refused | | why |")]
    [InlineData("| T1 x | | `UsbTransferTests.Written_bytes_come_back` | |")]
    [InlineData("| T1 x | it is refused | `UsbTransferTests.Written_bytes_come_back` |")]
    public void A_malformed_row_is_refused(string row) => Assert.StartsWith("docs/traps.md:3: ", Assert.Throws<FormatException>(() => Read(row)).Message, StringComparison.Ordinal);

    private static List<DocumentRow> Read(string row) => DocumentTable.Traps.Read($"| trap | what the facade does | test | note |\n|---|---|---|---|\n{row}\n");

    [GeneratedRegex("^[A-Z]?[0-9]+(?= )")]
    private static partial Regex NumberPattern();
}
