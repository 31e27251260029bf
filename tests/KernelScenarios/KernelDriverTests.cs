namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests an interface to which a kernel driver is bound: detaching the driver, claiming the interface, and attaching the driver again.</summary>
public sealed class KernelDriverTests : StorageTest
{
    private const string Driver = "usb-storage";

    [Fact]
    public void The_driver_is_named_and_the_interface_is_busy()
    {
        using UsbDeviceHandle handle = Disk.Device.Open();
        Assert.True(handle.IsKernelDriverActive(0));
        Assert.True(handle.TryGetKernelDriver(0, out string? name));
        Assert.Equal(Driver, name);
        UsbException busy = Assert.Throws<UsbException>(() => handle.ClaimInterface(0));
        Assert.Equal(UsbError.Busy, busy.Error);
        Assert.Contains(Driver, busy.Message, StringComparison.Ordinal);
        Assert.Equal(Driver, Sysfs.DriverOf(Disk.Device, 0));
    }

    [Fact]
    public void The_driver_is_detached_and_attached_again()
    {
        using UsbDeviceHandle handle = Disk.Device.Open();
        handle.DetachKernelDriver(0);
        Assert.Null(Sysfs.DriverOf(Disk.Device, 0));
        Assert.False(handle.IsKernelDriverActive(0));
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => handle.DetachKernelDriver(0)).Error);
        using (UsbInterface claim = handle.ClaimInterface(0))
        {
            Assert.Equal("usbfs", Sysfs.DriverOf(Disk.Device, 0));
            Assert.False(handle.TryGetKernelDriver(0, out _)); // a program that has claimed the interface is not reported as a driver
            new BulkOnlyStorage(claim).MakeReady();
            Assert.Equal(UsbError.Busy, Assert.Throws<UsbException>(() => handle.AttachKernelDriver(0)).Error);
        }

        Assert.Null(Sysfs.DriverOf(Disk.Device, 0));
        handle.AttachKernelDriver(0);
        Assert.Equal(Driver, Sysfs.DriverOf(Disk.Device, 0));
        Assert.True(handle.IsKernelDriverActive(0));
    }

    [Fact]
    public void The_driver_is_detached_for_each_claim_and_attached_after_it()
    {
        using UsbDeviceHandle handle = Disk.Device.Open();
        handle.SetAutoDetachKernelDriver(true);
        for (int round = 0; round < 2; round++)
        {
            using (UsbInterface claim = handle.ClaimInterface(0))
                Assert.Equal("usbfs", Sysfs.DriverOf(Disk.Device, 0));
            Assert.Equal(Driver, Sysfs.DriverOf(Disk.Device, 0));
        }
    }

    [Fact]
    public void The_driver_is_back_when_the_handle_is_disposed()
    {
        Open().Handle.Dispose(); // disposes the claim too
        Assert.Equal(Driver, Sysfs.DriverOf(Disk.Device, 0));
    }

    [Fact]
    public void A_second_program_is_refused()
    {
        BulkOnlyStorage storage = Open();
        using var other = new UsbContext();
        using UsbDevice device = other.FindDevice(new UsbDeviceFilter { Port = Disk.Device.PortPath })!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal(UsbError.Busy, Assert.Throws<UsbException>(() => handle.ClaimInterface(0)).Error);
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady));
    }
}
