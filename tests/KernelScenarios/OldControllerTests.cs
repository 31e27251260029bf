namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests the disk on a UHCI controller. On this controller, the disk runs at full speed, so a packet has 64 bytes. The kernel uses its UHCI driver instead of
/// its xHCI driver.
/// </summary>
public sealed class OldControllerTests : StorageTest
{
    public OldControllerTests()
        : base(QemuDevice.OldController)
    {
    }

    [Fact]
    public void The_disk_is_read_and_written_at_full_speed()
    {
        BulkOnlyStorage storage = Open();
        Assert.Equal(UsbSpeed.Full, Disk.Device.Speed);
        byte[] data = new byte[(256 << 10) - BulkOnlyStorage.BlockSize];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(5, data.Length / BulkOnlyStorage.BlockSize), data));
        AssertBytes(DiskPattern.Make(5 * BulkOnlyStorage.BlockSize, data.Length), data);

        // This command writes the data that the disk already has, so that the image does not change.
        Assert.Equal(CommandStatus.Passed, storage.Write(Scsi.Write(5, data.Length / BulkOnlyStorage.BlockSize), data));
        data.AsSpan().Clear();
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(5, data.Length / BulkOnlyStorage.BlockSize), data, new QueuedPhase()));
        AssertBytes(DiskPattern.Make(5 * BulkOnlyStorage.BlockSize, data.Length), data);
    }

    // The device has less data than the host has announced, and ends the data in the middle of the transfer.
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(100)]
    public void Data_that_ends_early_leaves_nothing_for_the_next_transfer(int blocks)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[128 << 10];
        for (int round = 0; round < 3; round++)
        {
            uint tag = storage.SendCommand(Scsi.Read(3, blocks), data.Length, isIn: true);
            UsbError error = storage.Input.TryRead(data, out int length, Patience);
            if (error == UsbError.Pipe)
                storage.Input.ClearHalt();
            else
                Assert.Equal(UsbError.Success, error);
            Assert.True(length >= blocks * BulkOnlyStorage.BlockSize, $"{length} bytes are not {blocks} blocks.");
            AssertBytes(DiskPattern.Make(3 * BulkOnlyStorage.BlockSize, blocks * BulkOnlyStorage.BlockSize), data.AsSpan(0, blocks * BulkOnlyStorage.BlockSize));
            Assert.Equal(new CommandStatus(0, data.Length - (blocks * BulkOnlyStorage.BlockSize)), storage.ReadStatus(tag));

            byte[] next = new byte[32 << 10];
            Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(9, next.Length / BulkOnlyStorage.BlockSize), next));
            AssertBytes(DiskPattern.Make(9 * BulkOnlyStorage.BlockSize, next.Length), next);
        }
    }
}
