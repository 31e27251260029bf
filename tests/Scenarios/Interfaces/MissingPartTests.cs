namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Tests the exception for a missing interface, setting or endpoint. The exception must list the interfaces, settings or endpoints that the device has.
/// </summary>
public sealed class MissingPartTests : TwoSettingsTest
{
    [BusFact]
    public void The_endpoints_of_the_active_setting_are_listed()
    {
        const string list = "Alternate setting 0 of interface 0 has the endpoints 0x81 (Bulk In), 0x01 (Bulk Out).";
        Assert.Equal(list, HintOf(() => Interface.GetEndpoint(0x85))); // of another interface
        Assert.Equal(list, HintOf(() => Interface.GetEndpoint(UsbDirection.Out, UsbTransferType.Isochronous)));
        Assert.Equal("Alternate setting 1 has such an endpoint: call SetAlternateSetting(1). " + list, HintOf(() => Interface.GetEndpoint(0x83)));
    }

    [BusFact]
    public void The_interfaces_are_listed()
    {
        const string list = "Interfaces of the active configuration: 0, 1.";
        Assert.Equal(list, HintOf(() => Handle.ClaimInterface(7)));
        Handle.SetAutoDetachKernelDriver(true); // libusb returns another error then
        Assert.Equal(list, Assert.Throws<UsbException>(() => Handle.ClaimInterface(7)).Hint);
    }

    [BusFact]
    public void The_settings_are_listed() => Assert.Equal("Alternate settings of interface 0: 0, 1.", HintOf(() => Interface.SetAlternateSetting(2)));

    private static string? HintOf(Action refused)
    {
        UsbException missing = Assert.Throws<UsbException>(refused);
        Assert.Equal(UsbError.NotFound, missing.Error);
        return missing.Hint;
    }
}
