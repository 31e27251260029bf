using Drivers.Storage;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Storage;

/// <summary>Tests commands to a disk that follows the protocol. If the disk refuses a command, the tests check the exception that the driver throws.</summary>
public sealed class DiskDriveTests : DiskTest
{
    [BusFact]
    public async Task A_disk_is_identified_after_its_unit_attention()
    {
        Device.Attentions = 3;
        await using DiskDrive disk = await OpenAsync();
        Assert.Equal(("Virtual", "Disk in memory"), (disk.Vendor, disk.Product));
        Assert.Equal((512, 4096L), (disk.BlockSize, disk.BlockCount));
        Assert.Equal(0, Device.InterfaceResets);
    }

    [BusTheory]
    [InlineData(0, 1)]
    [InlineData(4095, 1)]
    [InlineData(3, 255)]
    [InlineData(100, 2000)] // several commands
    public async Task Blocks_are_written_and_read(int block, int count)
    {
        await using DiskDrive disk = await OpenAsync();
        byte[] before = (byte[])Device.Content.Clone(), data = Pattern(count * 512, block), back = new byte[count * 512];
        await disk.WriteAsync(block, data).WaitAsync(Patience);
        await disk.FlushAsync().WaitAsync(Patience);
        data.CopyTo(before, block * 512);
        Assert.Equal(before, Device.Content);
        await disk.ReadAsync(block, back).WaitAsync(Patience);
        Assert.Equal(data, back);
        Assert.Contains((byte)0x35, Device.Operations);
    }

    [BusFact]
    public async Task Blocks_that_the_disk_does_not_have_are_refused()
    {
        await using DiskDrive disk = await OpenAsync();
        int commands = Device.Operations.Count;
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => disk.ReadAsync(4095, new byte[1024]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => disk.ReadAsync(-1, new byte[512]));
        await Assert.ThrowsAsync<ArgumentException>(() => disk.WriteAsync(0, new byte[100]));
        Assert.Equal(commands, Device.Operations.Count);
    }

    [BusFact]
    public async Task A_refusal_in_the_middle_of_the_data_carries_the_sense()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.IsWriteProtected = true;
        DiskException refused = await Assert.ThrowsAsync<DiskException>(() => disk.WriteAsync(0, new byte[4096]).WaitAsync(Patience));
        Assert.Equal(new DiskSense(7, 0x27, 0), refused.Sense);
        Device.IsWriteProtected = false;
        await CheckWorksAsync(disk);
        Assert.Equal(0, Device.InterfaceResets);
    }

    [BusFact]
    public async Task Unplugging_is_reported_as_NoDevice()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.Unplug();
        UsbException gone = await Assert.ThrowsAsync<UsbException>(() => disk.ReadAsync(0, new byte[512]).WaitAsync(Patience));
        Assert.Equal(UsbError.NoDevice, gone.Error);
    }

    [BusFact]
    public async Task A_device_that_is_no_disk_is_refused()
    {
        Bus.Attach(new FtdiAdapter());
        using UsbDevice device = Context.FindDevice(0x0403, 0x6001)!;
        await Assert.ThrowsAsync<DiskException>(() => DiskDrive.OpenAsync(device).WaitAsync(Patience));
    }
}
