using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Descriptors;

/// <summary>Tests devices that have several configurations, and descriptor fields whose meaning depends on the device's speed.</summary>
public sealed class ConfigurationTests : BusTest
{
    private readonly VirtualDevice _device = new(new DeviceDescription
    {
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting())) { MaxPowerMilliamps = 100 },
            new ConfigurationDescription(
                new InterfaceDescription(0, new AlternateSetting(), new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512))),
                new InterfaceDescription(1, new AlternateSetting()))
            { Value = 5, MaxPowerMilliamps = 200 },
            new ConfigurationDescription(new InterfaceDescription(3, new AlternateSetting())) { Value = 2, MaxPowerMilliamps = 300 },
        ],
    });

    [BusFact]
    public void Each_configuration_is_read_by_its_place()
    {
        Bus.Attach(_device);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.Equal(3, device.Descriptor.ConfigurationCount);
        var seen = new List<string>();
        for (int i = 0; i < device.Descriptor.ConfigurationCount; i++)
        {
            UsbConfigurationDescriptor configuration = device.GetConfigurationDescriptor(i);
            seen.Add($"{configuration.Value}: {configuration.MaxPowerMilliamps} mA, {configuration.Interfaces.Count} from {configuration.Interfaces[0].Number}");
        }

        Assert.Equal(["1: 100 mA, 1 from 0", "5: 200 mA, 2 from 0", "2: 300 mA, 1 from 3"], seen);
        Assert.Equal(2, device.GetConfigurationDescriptor(1).Interfaces[0].AlternateSettings.Count);
        Assert.Equal(0x81, device.GetConfigurationDescriptor(1).Interfaces[0].AlternateSettings[1].Endpoints[0].Address);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetConfigurationDescriptor(3)).Error);
    }

    [BusFact]
    public void Descriptors_have_a_readable_text()
    {
        Bus.Attach(_device);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        UsbConfigurationDescriptor configuration = device.GetConfigurationDescriptor(1);
        Assert.Equal("configuration 5 (2 interfaces, 200 mA)", configuration.ToString());
        Assert.Equal("interface 0 (2 alternate settings)", configuration.Interfaces[0].ToString());
        Assert.Equal("interface 1 (1 alternate setting)", configuration.Interfaces[1].ToString());
        UsbInterfaceDescriptor setting = configuration.Interfaces[0].AlternateSettings[1];
        Assert.Equal("interface 0, alternate setting 1 (class 0xff 0x00 0x00, 1 endpoint)", setting.ToString());
        Assert.Equal("endpoint 0x81 (Bulk In, 512 bytes)", setting.Endpoints[0].ToString());
    }

    [BusFact]
    public void The_active_configuration_is_the_one_that_was_set()
    {
        Bus.Attach(_device);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal(1, device.GetActiveConfigurationDescriptor().Value);
        foreach (int value in new[] { 5, 2, 1 })
        {
            handle.SetConfiguration(value);
            Assert.Equal(value, device.GetActiveConfigurationDescriptor().Value);
            Assert.Equal(value, handle.GetConfiguration());
        }

        Assert.Throws<UsbException>(() => device.GetMaxPacketSize(0x81)); // only the second configuration has this endpoint
        handle.SetConfiguration(-1);
        Assert.Equal(0, handle.GetConfiguration());
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetActiveConfigurationDescriptor()).Error);
    }

    [PreloadOnly(KernelLimits.SuperSpeedPlus, Rows = "SuperPlus")]
    [BusTheory]
    [InlineData(VirtualSpeed.Low, 98, 98)]
    [InlineData(VirtualSpeed.Full, 500, 500)]
    [InlineData(VirtualSpeed.High, 500, 500)]
    [InlineData(VirtualSpeed.Super, 896, 896)]
    [InlineData(VirtualSpeed.SuperPlus, 900, 904)] // in units of 8 mA
    public void Power_is_counted_in_the_unit_of_the_speed(VirtualSpeed speed, int milliamps, int expected)
    {
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Speed = speed,
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting())) { MaxPowerMilliamps = milliamps }],
        }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.Equal(expected, device.GetActiveConfigurationDescriptor().MaxPowerMilliamps);
    }

    [BusFact]
    public void Endpoints_of_audio_devices_have_two_more_fields()
    {
        var audio = new EndpointDescription(0x81, EndpointKind.Isochronous, 200) { SyncAndUsage = 0x05 << 2, Interval = 4, Audio = (7, 0x02) };
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(audio)))],
        }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        UsbEndpointDescriptor endpoint = device.GetActiveConfigurationDescriptor().Interfaces[0].AlternateSettings[0].Endpoints[0];
        Assert.Equal((7, 0x02), (endpoint.Refresh, endpoint.SyncAddress));
        Assert.Equal(0x15, endpoint.Attributes);
        Assert.Equal(4, endpoint.Interval);
        Assert.True(endpoint.Extra.IsEmpty);
    }
}
