using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>Tests devices whose descriptors are inconsistent or truncated.</summary>
/// <remarks>The kernel removes such descriptors before libusb reads them, so these tests run only with the preload library.</remarks>
public sealed class MalformedDescriptorTests : BusTest
{
    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void An_interface_whose_endpoints_libusb_does_not_reach_has_none()
    {
        Bus.Attach(new VirtualDevice(TwoEndpointsBehind([200, 0x24, 1, 2])));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        foreach (UsbConfigurationDescriptor configuration in new[] { device.GetActiveConfigurationDescriptor(), device.GetConfigurationDescriptor(0) })
        {
            Assert.True(configuration.TryFindSetting(0, 0, out UsbInterfaceDescriptor? setting));
            Assert.Empty(setting.Endpoints);
            Assert.False(setting.TryFindEndpoint(0x81, out _));
        }
    }

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void An_alternate_packet_size_of_an_endpoint_that_libusb_does_not_reach_is_not_found()
    {
        Bus.Attach(new VirtualDevice(TwoEndpointsBehind([200, 0x24, 1, 2])));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxAlternatePacketSize(0, 0, 0x81)).Error);
    }

    // For this endpoint, libusb's own function would dereference a null pointer and crash the process.
    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void A_packet_size_of_an_endpoint_that_libusb_does_not_reach_is_not_found()
    {
        Bus.Attach(new VirtualDevice(TwoEndpointsBehind([200, 0x24, 1, 2])));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxPacketSize(0x81)).Error);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxIsoPacketSize(0x02)).Error);
    }

    private static DeviceDescription TwoEndpointsBehind(byte[] extra) => new()
    {
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                new EndpointDescription(0x81, EndpointKind.Bulk, 512), new EndpointDescription(0x02, EndpointKind.Bulk, 512)) { Extra = extra })),
        ],
    };
}
