namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that all members and tests that docs/parity.md names exist.</summary>
public sealed class ParityTableTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_named_member_and_test_exists()
    {
        List<DocumentRow> rows = DocumentTable.Parity.Read(DocumentTable.Parity.Text);
        Assert.NotEmpty(rows);
        string[] faults = [.. rows.SelectMany(DocumentTable.Parity.Faults)];
        Assert.True(faults.Length == 0, string.Join('\n', faults));

        DocumentRow[] open = [.. rows.Where(row => row.Members.Count == 0 || row.Tests.Count == 0)];
        output.WriteLine($"{rows.Count - open.Length} of {rows.Count} rows have a member and a test. The others:");
        foreach (DocumentRow row in open)
            output.WriteLine($"  {row.Line}: {row.Subject}: no {(row.Members.Count > 0 ? "test" : row.Tests.Count > 0 ? "member" : "member, no test")}: {row.Note}");
    }

    [Theory]
    [InlineData("| `x` | `UsbTransfer.Sumbit` | `UsbTransferTests.Written_bytes_come_back` | |", "docs/parity.md:3: `x`: there is no public member UsbTransfer.Sumbit")]
    [InlineData("| `x` | `UsbTransferr` | — | why |", "docs/parity.md:3: `x`: there is no public member UsbTransferr")]
    [InlineData("| `x` | `UsbTransfer.ctor` | — | it is internal |", "docs/parity.md:3: `x`: there is no public member UsbTransfer.ctor")]
    [InlineData("| `x` | `UsbTransfer.this[]` | — | why |", "docs/parity.md:3: `x`: there is no public member UsbTransfer.this[]")]
    [InlineData("| `x` | `UsbTransfer.Submit` | `UsbTransferTests.Open` | |", "docs/parity.md:3: `x`: there is no test UsbTransferTests.Open")]
    [InlineData("| `x` | `UsbTransfer.Submit` | `Written_bytes_come_back` | |", "docs/parity.md:3: `x`: there is no test Written_bytes_come_back")]
    public void A_name_that_does_not_exist_is_found(string row, string fault) => Assert.Equal(fault, Assert.Single(Read(row).SelectMany(DocumentTable.Parity.Faults)));

    [Theory]
    [InlineData("| `x` | — | `UsbTransferTests.Written_bytes_come_back` | |")]
    [InlineData("| `x` | `UsbTransfer` | — | |")]
    [InlineData("| `x` | `UsbTransfer` | | why |")]
    [InlineData("| `x` | UsbTransfer | — | why |")]
    [InlineData("| `x` | `UsbTransfer` `UsbDevice` | — | why |")]
    [InlineData("| `x` | `UsbTransfer` | — |")]
    [InlineData("| `x` | `UsbTransfer` | — | why | more |")]
    [InlineData("| | `UsbTransfer` | — | why |")]
    public void A_malformed_row_is_refused(string row) => Assert.StartsWith("docs/parity.md:3: ", Assert.Throws<FormatException>(() => Read(row)).Message, StringComparison.Ordinal);

    [Fact]
    public void Another_table_is_refused() => Assert.Throws<FormatException>(() => DocumentTable.Parity.Read("text\n\n| usb1 | C# |\n|---|---|\n"));

    [Theory]
    [InlineData("UsbTransfer")]
    [InlineData("UsbTransfer.SetBulk")]
    [InlineData("UsbTransferHelper.ctor")]
    [InlineData("UsbTransferHelper.this[]")]
    [InlineData("UsbError.Busy")]
    [InlineData("libusb.libusb_init")]
    [InlineData("VirtualBus.Attach")]
    public void Members_are_found(string name) => Assert.True(NameLookup.MemberExists(name));

    private static List<DocumentRow> Read(string row) => DocumentTable.Parity.Read($"| usb1 | C# | test | note |\n|---|---|---|---|\n{row}\n");
}
