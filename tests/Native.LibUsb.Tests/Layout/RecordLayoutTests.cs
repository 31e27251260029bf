using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Layout;

/// <summary>Tests that the records of the raw layer have the same layout as in clang, on this machine and on every target in layouts.json.</summary>
public sealed class RecordLayoutTests
{
    private static readonly string[] s_targets =
    [
        "x86_64-linux-gnu", "aarch64-linux-gnu", "i386-linux-gnu", "arm-linux-gnueabihf",
        "arm64-apple-macos13", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc", "i686-pc-windows-msvc",
    ];

    public static TheoryData<string> Records => [.. RawSurface.Records.Where(type => !IsOpaque(type)).Select(type => type.Name)];

    [Fact]
    public void The_table_has_the_eight_targets() => Assert.Equal(s_targets.Order(), LayoutTable.Targets.Keys.Order());

    [Fact]
    public void The_table_has_every_record_for_every_target()
    {
        string[] records = [.. Records.Select(row => row.Data).Order(StringComparer.Ordinal)];
        Assert.All(LayoutTable.Targets, target => Assert.Equal(records, target.Value.Keys.Order(StringComparer.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Records))]
    public void A_record_has_the_layout_of_this_machines_target(string name)
    {
        Assert.True(LayoutTable.ThisTarget is not null, "layouts.json has no target for this machine: add it to the generator's targets.");
        LayoutTable.RecordLayout expected = LayoutTable.Targets[LayoutTable.ThisTarget][name];
        ManagedRecord actual = ManagedRecord.Of(RawSurface.Records.Single(type => type.Name == name));

        Assert.Equal(expected.Size, actual.Size);
        Assert.Equal(
            expected.Offsets.Select(pair => $"{pair.Key} at {pair.Value}").Order(StringComparer.Ordinal),
            actual.Fields.Select(field => $"{field.Name} at {field.Offset}").Order(StringComparer.Ordinal));
    }

    // One set of C# structures can be correct on every target only if all targets with the same pointer size have the same layout.
    [Theory]
    [MemberData(nameof(Records))]
    public void Targets_with_pointers_of_one_size_agree(string name)
    {
        foreach (bool wide in (bool[])[true, false])
        {
            var layouts = LayoutTable.Targets.Where(target => IsWide(target.Key) == wide).Select(target => (target.Key, Layout: target.Value[name])).ToList();
            Assert.Equal(wide ? 5 : 3, layouts.Count);
            Assert.All(layouts, target => Assert.Equal(Describe(layouts[0].Layout), Describe(target.Layout)));
        }
    }

    [Fact]
    public void The_first_packet_of_a_transfer_lies_in_its_tail_padding_on_64_bit_targets()
    {
        Assert.All(LayoutTable.Targets, target =>
        {
            LayoutTable.RecordLayout transfer = target.Value["libusb_transfer"];
            Assert.Equal(IsWide(target.Key) ? (64, 60) : (40, 40), (transfer.Size, transfer.Offsets["iso_packet_desc"]));
        });
    }

    private static string Describe(LayoutTable.RecordLayout layout) =>
        $"{layout.Size}: {string.Join(", ", layout.Offsets.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"))}";

    private static bool IsWide(string target) => target.StartsWith("x86_64", StringComparison.Ordinal) || target.StartsWith("aarch64", StringComparison.Ordinal) || target.StartsWith("arm64", StringComparison.Ordinal);

    private static bool IsOpaque(Type type) => type.GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance).Length == 0;
}
