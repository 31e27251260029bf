namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a test of QEMU's usb-storage device. QEMU stores the device's data in a disk image on the host.</summary>
public abstract class StorageTest : MachineTest
{
    protected const int Half = 8 << 20;

    /// <summary>Plugs the disk in.</summary>
    /// <param name="controller">The bus to which the disk is attached.</param>
    protected StorageTest(string controller = QemuDevice.FastController)
    {
        Disk = Plug("usb-storage", "1", ("drive", "disk"), ("bus", controller));
        Sysfs.WaitForDriver(Disk.Device, 0, "usb-storage");
    }

    protected QemuDevice Disk { get; }

    /// <summary>Opens the disk and detaches the kernel's driver. The driver stays detached until the handle is closed.</summary>
    protected BulkOnlyStorage Open()
    {
        UsbDeviceHandle handle = Disk.Device.Open();
        handle.SetAutoDetachKernelDriver(true);
        handle.ClaimInterface(0);
        var storage = new BulkOnlyStorage(handle);
        storage.MakeReady();
        return storage;
    }
}
