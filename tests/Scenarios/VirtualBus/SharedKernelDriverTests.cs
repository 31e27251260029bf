using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests a kernel driver that binds several interfaces, as cdc_acm does.</summary>
public sealed unsafe class SharedKernelDriverTests
{
    private const string Driver = "cdc_acm";

    [PreloadOnly(KernelLimits.Drivers)]
    [BusFact]
    public void Detaching_one_interface_frees_all_of_them()
    {
        using Watchdog watchdog = new();
        VirtualDevice modem = Modem();
        using RawHost host = new(modem);
        libusb_device_handle* handle = host.Open(modem, claim: -1);
        AssertDrivers(host, modem, Driver, Driver, "other");
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_claim_interface(handle, 1));
        for (int number = 0; number < 2; number++)
        {
            RawHost.Check(libusb_detach_kernel_driver(handle, number));
            AssertDrivers(host, modem, null, null, "other");
            Assert.Equal((0, 0), (libusb_kernel_driver_active(handle, 0), libusb_kernel_driver_active(handle, 1)));
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_attach_kernel_driver(handle, 1)); // the driver binds to interface 0 only
            AssertDrivers(host, modem, null, null, "other");
            RawHost.Check(libusb_attach_kernel_driver(handle, 0));
            AssertDrivers(host, modem, Driver, Driver, "other");
        }
    }

    [PreloadOnly(KernelLimits.Drivers)]
    [BusFact]
    public void The_driver_comes_back_when_all_its_interfaces_are_free()
    {
        using Watchdog watchdog = new();
        VirtualDevice modem = Modem();
        using RawHost host = new(modem);
        libusb_device_handle* handle = host.Open(modem, claim: -1);
        RawHost.Check(libusb_set_auto_detach_kernel_driver(handle, 1));
        RawHost.Check(libusb_claim_interface(handle, 0));
        AssertDrivers(host, modem, "usbfs", null, "other");
        RawHost.Check(libusb_release_interface(handle, 0));
        AssertDrivers(host, modem, Driver, Driver, "other");

        // Interface 0, to which the driver binds, is released first. Interface 1 is still claimed at that time.
        RawHost.Check(libusb_claim_interface(handle, 0));
        RawHost.Check(libusb_claim_interface(handle, 1));
        RawHost.Check(libusb_release_interface(handle, 0));
        RawHost.Check(libusb_release_interface(handle, 1));
        AssertDrivers(host, modem, null, null, "other");

        RawHost.Check(libusb_claim_interface(handle, 0));
        RawHost.Check(libusb_claim_interface(handle, 1));
        RawHost.Check(libusb_release_interface(handle, 1));
        RawHost.Check(libusb_release_interface(handle, 0));
        AssertDrivers(host, modem, Driver, Driver, "other");
    }

    [Fact]
    public void A_shared_driver_of_a_missing_or_taken_interface_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Modem(new SharedKernelDriver(Driver, 1, 2)));
        Assert.Throws<ArgumentException>(() => Modem(new SharedKernelDriver(Driver, 0, 1), new SharedKernelDriver("cdc_ether", 1)));
        Assert.Throws<ArgumentException>(() => Modem(new SharedKernelDriver(Driver, 0, 3)));
    }

    private static VirtualDevice Modem(params SharedKernelDriver[] drivers) => new(new DeviceDescription
    {
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Interrupt, 16)) { Class = 2, Subclass = 2 }),
                new InterfaceDescription(1, new AlternateSetting(new EndpointDescription(0x82, EndpointKind.Bulk, 512)) { Class = 10 }),
                new InterfaceDescription(2, new AlternateSetting()) { KernelDriver = "other" })
            {
                SharedDrivers = drivers.Length > 0 ? drivers : [new SharedKernelDriver(Driver, 0, 1)],
            },
        ],
    });

    private static void AssertDrivers(RawHost host, VirtualDevice device, params string?[] expected)
    {
        for (int number = 0; number < expected.Length; number++)
        {
            string link = Path.Combine(host.Bus.RootDirectory, "sys/bus/usb/devices", $"{device.PortPath}:1.{number}", "driver");
            Assert.Equal(expected[number], Path.GetFileName(new FileInfo(link).LinkTarget));
        }
    }
}
