using System.Text.RegularExpressions;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Linking;

/// <summary>Tests which libusb the build links with a program.</summary>
public sealed partial class LinkFileTests : IDisposable
{
    private readonly LinkProject _project = new();

    public void Dispose() => _project.Dispose();

    [Fact]
    public void The_systems_archive_when_nothing_else_is_there()
    {
        _project["LibUsbLink"] = "static";
        Assert.EndsWith("/libusb-1.0.a", _project.FindFile(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_systems_shared_library_when_nothing_else_is_there()
    {
        _project["LibUsbLink"] = "direct";
        Assert.EndsWith("/libusb-1.0.so", _project.FindFile(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("static", "", "static-without")]
    [InlineData("static", "true", "static-with")]
    [InlineData("direct", "", "direct-with")]
    [InlineData("direct", "false", "direct-without")]
    public void The_file_of_a_package_before_the_systems(string link, string udev, string expected)
    {
        string archive = _project.Archive("int libusb_get_version(void) { return 0; }");
        foreach (string name in (string[])["static-with", "static-without", "direct-with", "direct-without"])
        {
            File.Copy(archive, _project.File(name));
            _project.AddRuntimeFile(_project.File(name), name.Split('-')[0], name.EndsWith("without", StringComparison.Ordinal) ? "false" : "true");
        }

        _project["LibUsbLink"] = link;
        _project["LibUsbUdev"] = udev;
        Assert.Equal(_project.File(expected), _project.FindFile());
    }

    [Fact]
    public void The_file_that_the_program_names_before_all_others()
    {
        string archive = _project.Archive("int libusb_get_version(void) { return 0; }");
        _project.AddRuntimeFile("/no/such/file", "static", "false");
        _project["LibUsbLink"] = "static";
        _project["LibUsbLinkFile"] = archive;
        Assert.Equal(archive, _project.FindFile());
    }

    [Fact]
    public void Nothing_for_a_program_that_searches_at_run_time() => Assert.Equal("", _project.FindFile());

    // If the table lacks a function, a fully static program cannot call this function.
    [Fact]
    public void The_table_of_functions_has_all_of_them()
    {
        string source = File.ReadAllText(Repository.PathOf("src", "Native.LibUsb.Build", "linked-functions.c"));
        IEnumerable<string> functions = RawSurface.Imports.Select(import => import.Key).Concat(RawSurface.OptionalFunctions.Keys);
        Assert.Equal(functions.Distinct().Order(StringComparer.Ordinal), TableEntry().Matches(source).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"F\((libusb_\w+)\)")]
    private static partial Regex TableEntry();
}
