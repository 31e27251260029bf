using System.Text.Json;
using System.Text.Json.Nodes;
using Native.LibUsb.Generator.Clang;

namespace Native.LibUsb.Generator.Tests;

/// <summary>Tests the generator on the real <c>libusb.h</c>.</summary>
public class LibusbTests
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> s_generated = new(() => Generate("/usr/include"));

    [Fact]
    public void The_files_in_the_repository_are_those_that_the_generator_writes() => Assert.Equal("", TestRepository.Instance.Compare(s_generated.Value));

    [Fact]
    public void Two_runs_give_the_same_bytes() => Assert.Equal(s_generated.Value, Generate("/usr/include"));

    [Theory]
    [InlineData("bookworm")]
    [InlineData("trixie")]
    [InlineData("forky")]
    public void The_output_does_not_depend_on_the_installed_header(string suite)
    {
        string headers = Path.Combine(TestRepository.Instance.Root, "artifacts", "libusb", suite, "root", "usr", "include");
        Assert.SkipUnless(Directory.Exists(headers), "Tests fetch no headers: run eng/generate.sh check --all-headers first.");
        Assert.Equal(s_generated.Value, Generate(headers));
    }

    [Fact]
    public void An_inline_function_that_the_settings_do_not_list_stops_the_generator()
    {
        JsonNode settings = JsonNode.Parse(File.ReadAllText(TestRepository.Instance.Settings))!;
        JsonObject inlines = settings["exclude"]!["inlines"]!.AsObject();
        Assert.Equal(14, inlines.Count);
        Assert.True(inlines.Remove("libusb_fill_iso_transfer"));
        using var folder = new TemporaryFolder();
        string file = folder.Write("settings.json", settings.ToJsonString());
        GeneratorException exception = Assert.Throws<GeneratorException>(() => BindingGenerator.Read(TestRepository.Clang, TestRepository.Instance.Input, file));
        Assert.Contains("libusb-1.0/libusb.h:", Assert.Single(exception.Errors), StringComparison.Ordinal);
        Assert.Contains("'libusb_fill_iso_transfer' is inline", exception.Message, StringComparison.Ordinal);
    }

    // A C compiler, and not this generator, measured the sizes with 64-bit and with 32-bit pointers.
    [Theory]
    [InlineData("libusb_device_descriptor", 18, 18)]
    [InlineData("libusb_endpoint_descriptor", 32, 20)]
    [InlineData("libusb_interface_descriptor", 40, 24)]
    [InlineData("libusb_interface", 16, 8)]
    [InlineData("libusb_config_descriptor", 40, 24)]
    [InlineData("libusb_ss_endpoint_companion_descriptor", 6, 6)]
    [InlineData("libusb_ss_usb_device_capability_descriptor", 10, 10)]
    [InlineData("libusb_usb_2_0_extension_descriptor", 8, 8)]
    [InlineData("libusb_container_id_descriptor", 20, 20)]
    [InlineData("libusb_bos_descriptor", 8, 8)]
    [InlineData("libusb_bos_dev_capability_descriptor", 3, 3)]
    [InlineData("libusb_control_setup", 8, 8)]
    [InlineData("libusb_version", 24, 16)]
    [InlineData("libusb_iso_packet_descriptor", 12, 12)]
    [InlineData("libusb_transfer", 64, 40)]
    [InlineData("libusb_pollfd", 8, 8)]
    [InlineData("libusb_init_option", 16, 8)]
    [InlineData("libusb_interface_association_descriptor", 8, 8)]
    [InlineData("libusb_interface_association_descriptor_array", 16, 8)]
    [InlineData("libusb_platform_descriptor", 20, 20)]
    [InlineData("libusb_ssplus_sublink_attribute", 24, 24)]
    [InlineData("libusb_ssplus_usb_device_capability_descriptor", 8, 8)]
    public void Records_have_the_sizes_of_c(string record, int wide, int narrow)
    {
        using var layouts = JsonDocument.Parse(s_generated.Value[BindingGenerator.Layouts]);
        foreach (Target target in Target.All)
            Assert.Equal(target.PointerSize == 8 ? wide : narrow, layouts.RootElement.GetProperty(target.Triple).GetProperty(record).GetProperty("size").GetInt32());
    }

    [Fact]
    public void The_packets_of_a_transfer_begin_before_its_end()
    {
        using var layouts = JsonDocument.Parse(s_generated.Value[BindingGenerator.Layouts]);
        foreach (Target target in Target.All)
        {
            JsonElement offsets = layouts.RootElement.GetProperty(target.Triple).GetProperty("libusb_transfer").GetProperty("offsets");
            Assert.Equal(target.PointerSize == 8 ? 60 : 40, offsets.GetProperty("iso_packet_desc").GetInt32());
        }

        Assert.Contains("(sizeof(nint) == 8 ? 60 : 40)", s_generated.Value["Records.g.cs"], StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<string, string> Generate(string include) => BindingGenerator.Generate(
        new ClangCompiler(ClangCompiler.Default, TestRepository.Instance.Stubs, include),
        TestRepository.Instance.Input,
        TestRepository.Instance.Settings,
        TestRepository.Instance.Docs);
}
