using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Loading;

/// <summary>Tests a system without a USB bus, such as most containers.</summary>
public sealed class MissingBusTests
{
    // On a system without a USB bus, the result depends on how libusb was built. If libusb does not use udev, libusb_init returns LIBUSB_ERROR_OTHER (-99), as
    // in this fake library. If libusb uses udev, it creates a context and finds no devices.
    private const string Failing = "int libusb_init(void **context) { (void)context; return -99; }";

    [Fact]
    public void A_context_reports_the_missing_bus_and_how_a_container_gets_one()
    {
        Assert.SkipWhen(HasBus(), "This machine has /dev/bus/usb, and the test needs a machine without it.");
        using Watchdog watchdog = new(seconds: 120);
        using var fake = new FakeLibrary(new Version(1, 0, 26), Failing);
        FreshProcess.Run(bus: null, "MissingBus", [fake.Path]);
    }

    // This test creates no virtual bus, and no other test runs at the same time. If /dev/bus/usb exists, it is therefore the bus of the machine itself.
    private static bool HasBus() =>
        File.ReadAllText("/proc/mounts").Contains("/dev/bus/usb", StringComparison.Ordinal) || Directory.Exists("/dev/bus/usb");
}
