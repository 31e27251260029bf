using System.Text.RegularExpressions;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.SourceRules;

/// <summary>
/// Tests that the name of a public type starts with <c>Usb</c>, that the name of a public interface starts with <c>IUsb</c>, and that no name contains
/// <c>Usb</c> twice.
/// </summary>
public sealed partial class PublicNameTests
{
    private static readonly string?[] s_namespaces = [typeof(UsbContext).Namespace, typeof(UsbRing).Namespace];

    [Fact]
    public void Public_types_are_named_by_the_rule()
    {
        Type[] types = [.. typeof(UsbContext).Assembly.GetExportedTypes().Where(type => !type.IsNested && s_namespaces.Contains(type.Namespace))];
        Assert.True(types.Length > 20, "The types were not found.");
        Assert.Empty(types.Where(type => !IsNamedByRule(type.Name, type.IsInterface)).Select(type => type.FullName));
    }

    [Theory]
    [InlineData("UsbDevice", false, true)]
    [InlineData("IUsbPoller", true, true)]
    [InlineData("Device", false, false)]
    [InlineData("Usb", false, false)]
    [InlineData("Usbdevice", false, false)]
    [InlineData("UsbLibUsbVersion", false, false)]
    [InlineData("IUsbPoller", false, false)]
    [InlineData("UsbPoller", true, false)]
    public void The_rule_accepts_Usb_once(string name, bool isInterface, bool accepted) => Assert.Equal(accepted, IsNamedByRule(name, isInterface));

    private static bool IsNamedByRule(string name, bool isInterface) => (isInterface ? InterfaceName() : TypeName()).IsMatch(name);

    [GeneratedRegex("^Usb[A-Z0-9](?!.*[uU][sS][bB])")]
    private static partial Regex TypeName();

    [GeneratedRegex("^IUsb[A-Z](?!.*[uU][sS][bB])")]
    private static partial Regex InterfaceName();
}
