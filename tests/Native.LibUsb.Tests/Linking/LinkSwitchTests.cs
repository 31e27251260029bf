using System.Text.Json;

namespace Native.LibUsb.Tests.Linking;

/// <summary>Tests how the build describes the link to the ahead-of-time compiler.</summary>
public sealed class LinkSwitchTests : IDisposable
{
    private readonly LinkProject _project = new();

    public void Dispose() => _project.Dispose();

    // If a switch had no value, the program would read its configuration when it starts, and would contain the code for both values.
    [Theory]
    [InlineData("dynamic", "UsesFunctionPointers")]
    [InlineData("direct", "IsBound")]
    [InlineData("static", "IsBound", "IsLinkedIn", "HasFunctionTable")]
    public void Every_switch_has_a_value(string link, params string[] on)
    {
        _project["LibUsbLink"] = link;
        AssertSwitches(on);
    }

    // The items bind imports. If the program had no imports, it would ignore the libusb that it is linked with, and load another one.
    [Theory]
    [InlineData("DirectPInvoke", "libusb-1.0")]
    [InlineData("DirectPInvoke", "libusb-1.0!libusb_init")]
    [InlineData("DirectPInvokeList", "functions.txt")]
    public void A_program_that_links_libusb_by_itself_keeps_the_imports(string item, string include)
    {
        _project["LibUsbLink"] = "dynamic";
        _project.AddItem(item, include);
        AssertSwitches();
    }

    [Fact]
    public void A_program_that_links_another_library_by_itself_has_no_imports()
    {
        _project["LibUsbLink"] = "dynamic";
        _project.AddItem("DirectPInvoke", "libusb-1.0-extras");
        AssertSwitches("UsesFunctionPointers");
    }

    private void AssertSwitches(params string[] on)
    {
        string[] all = ["UsesFunctionPointers", "IsBound", "IsLinkedIn", "HasFunctionTable"];
        using JsonDocument items = JsonDocument.Parse(_project.FindItems("IlcArg", "LibUsbDescribeLink"));
        Assert.Equal(
            all.Select(name => $"--feature:Native.LibUsb.{name}={(on.Contains(name) ? "true" : "false")}").Order(StringComparer.Ordinal),
            items.RootElement.GetProperty("Items").GetProperty("IlcArg").EnumerateArray()
                .Select(item => item.GetProperty("Identity").GetString()!).Order(StringComparer.Ordinal));
    }
}
