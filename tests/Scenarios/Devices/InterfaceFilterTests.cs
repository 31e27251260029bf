using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Hotplug;

namespace Native.LibUsb.Tests.Devices;

/// <summary>Tests filters with the class of an interface.</summary>
public sealed class InterfaceFilterTests : BusTest
{
    private readonly BulkLoopback _printer = new(new BulkLoopbackOptions { InterfaceClass = (7, 1, 2) });
    private readonly HotplugReports _reports = new(Patience);

    [BusFact]
    public void A_device_is_found_by_the_class_of_an_interface()
    {
        Bus.Attach(new BulkLoopback()); // class 0xff
        Bus.Attach(_printer);
        foreach (UsbDeviceFilter filter in (UsbDeviceFilter[])[
            new() { InterfaceClass = 7 }, new() { InterfaceClass = 7, InterfaceSubClass = 1 }, new() { InterfaceClass = 7, InterfaceSubClass = 1, InterfaceProtocol = 2 },
            new() { InterfaceProtocol = 2, ProductId = _printer.Description.ProductId }])
        {
            using UsbDevice? found = Context.FindDevice(filter);
            Assert.NotNull(found);
            Assert.Equal(_printer.DeviceNumber, found.Address);
        }

        foreach (UsbDeviceFilter filter in (UsbDeviceFilter[])[
            new() { InterfaceClass = 6 }, new() { InterfaceClass = 7, InterfaceSubClass = 2 }, new() { InterfaceClass = 7, InterfaceProtocol = 1 },
            new() { InterfaceClass = 7, DeviceClass = 7 }, new() { InterfaceClass = 7, ProductId = 0xffff }])
        {
            Assert.Null(Context.FindDevice(filter));
        }
    }

    [BusFact]
    public void One_alternate_setting_of_any_configuration_must_have_all_values()
    {
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting { Class = 0xfe, Subclass = 0x21 }),
                    new InterfaceDescription(1, new AlternateSetting { Class = 0xdc, Subclass = 0x22 }, new AlternateSetting { Class = 0xdc, Subclass = 0x23 })),
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting { Class = 0xef, Subclass = 0x24 })) { Value = 2 },
            ],
        }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.True(new UsbDeviceFilter { InterfaceClass = 0xfe, InterfaceSubClass = 0x21 }.Matches(device));
        Assert.True(new UsbDeviceFilter { InterfaceClass = 0xdc, InterfaceSubClass = 0x23 }.Matches(device));
        Assert.True(new UsbDeviceFilter { InterfaceClass = 0xef, InterfaceSubClass = 0x24 }.Matches(device)); // not the active configuration
        Assert.False(new UsbDeviceFilter { InterfaceClass = 0xfe, InterfaceSubClass = 0x22 }.Matches(device)); // of two interfaces
    }

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void A_configuration_that_cannot_be_read_hides_no_other()
    {
        byte[] tooManyInterfaces = [9, 2, 9, 0, 33, 1, 0, 0x80, 50];
        Bus.Attach(new VirtualDevice(new DeviceDescription { ProductId = 2, Configurations = [ConfigurationDescription.Raw(tooManyInterfaces)] }));
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                ConfigurationDescription.Raw(tooManyInterfaces),
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting { Class = 0xdc })) { Value = 2 },
            ],
        }));
        using UsbDevice? found = Context.FindDevice(new UsbDeviceFilter { InterfaceClass = 0xdc });
        Assert.NotNull(found);
        Assert.Equal(1, found.ProductId);
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => found.GetConfigurationDescriptor(0)).Error);
    }

    [BusTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Devices_are_watched_by_the_class_of_an_interface(bool enumerate)
    {
        var other = new InterruptSource();
        Bus.Attach(other);
        Bus.Attach(_printer);
        Context.GetDevices().Dispose();      // libusb has noticed the devices
        Context.HandleEvents(TimeSpan.Zero); // and delivers its pending reports
        using UsbEventThread events = Context.StartEventThread();
        using UsbHotplugRegistration registration = Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { InterfaceClass = 7 }, enumerate: enumerate);
        if (enumerate)
            Assert.Equal((UsbHotplugEvents.Arrived, _printer.Description.ProductId), _reports.Next());
        Bus.Detach(other);
        Bus.Detach(_printer);
        Assert.Equal((UsbHotplugEvents.Left, _printer.Description.ProductId), _reports.Next());
        Bus.Attach(new BulkLoopback());
        Bus.Attach(_printer);
        Assert.Equal((UsbHotplugEvents.Arrived, _printer.Description.ProductId), _reports.Next());
        Bus.Detach(_printer);
        Assert.Equal((UsbHotplugEvents.Left, _printer.Description.ProductId), _reports.Next());
        Assert.True(_reports.IsEmpty);
    }
}
