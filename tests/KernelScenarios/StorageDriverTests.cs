using Drivers.Storage;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the driver of <c>Drivers.Storage</c> on QEMU's mass-storage device. No other test uses the disk image of this device.</summary>
/// <remarks>
/// After these tests, the first half of the image still has the pattern of <see cref="DiskPattern"/>. The second half has the complement of this pattern. The
/// host checks the image.
/// </remarks>
public sealed class StorageDriverTests : MachineTest
{
    private const int Half = 8 << 20, BlockSize = 512, Blocks = Half / BlockSize;

    private readonly QemuDevice _device;

    public StorageDriverTests()
    {
        _device = Plug("usb-storage", "1", ("drive", "driver-disk"));
        Sysfs.WaitForDriver(_device.Device, 0, "usb-storage");
    }

    [Fact]
    public async Task The_disk_is_identified_and_read()
    {
        await using DiskDrive disk = await DiskDrive.OpenAsync(_device.Device).WaitAsync(Patience);
        disk.Patience = Patience;
        Assert.Equal(("QEMU", "QEMU HARDDISK"), (disk.Vendor, disk.Product));
        Assert.Equal((BlockSize, 2L * Blocks), (disk.BlockSize, disk.BlockCount));
        byte[] data = new byte[Half];
        await disk.ReadAsync(0, data).WaitAsync(Patience);
        AssertBytes(DiskPattern.Make(0, Half), data);
    }

    [Fact]
    public async Task Written_blocks_are_on_the_disk()
    {
        byte[] written = DiskPattern.Make(Half, Half, complement: true), data = new byte[Half];
        await using (DiskDrive disk = await DiskDrive.OpenAsync(_device.Device).WaitAsync(Patience))
        {
            disk.Patience = Patience;
            await disk.WriteAsync(Blocks, written).WaitAsync(Patience);
            await disk.FlushAsync().WaitAsync(Patience);
            await disk.ReadAsync(Blocks, data).WaitAsync(Patience);
            AssertBytes(written, data);
        }

        Sysfs.WaitForDriver(_device.Device, 0, "usb-storage"); // the kernel's driver is attached again
    }
}
