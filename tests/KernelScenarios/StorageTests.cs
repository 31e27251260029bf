using System.Buffers.Binary;
using System.Text;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests a disk: commands and statuses, and large amounts of data in both directions.</summary>
/// <remarks>
/// After these tests, the first half of the disk image still has the pattern of <see cref="DiskPattern"/>. The second half has the complement of this pattern.
/// When the virtual machine has shut down, the host checks both halves in the image file.
/// </remarks>
public sealed class StorageTests : StorageTest
{
    private const int Blocks = Half / BulkOnlyStorage.BlockSize;

    [Fact]
    public void The_disk_has_the_expected_descriptors()
    {
        BulkOnlyStorage storage = Open();
        Assert.Equal(UsbSpeed.Super, Disk.Device.Speed);
        byte[] answer = new byte[36];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Inquiry(answer.Length), answer));
        Assert.Equal("QEMU    ", Encoding.ASCII.GetString(answer, 8, 8));
        byte[] capacity = new byte[8];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.ReadCapacity, capacity));
        Assert.Equal((2 * Blocks) - 1, BinaryPrimitives.ReadInt32BigEndian(capacity));
        Assert.Equal(BulkOnlyStorage.BlockSize, BinaryPrimitives.ReadInt32BigEndian(capacity.AsSpan(4)));
    }

    [Theory]
    [InlineData("synchronous")]
    [InlineData("queued")]
    [InlineData("ring")]
    public void The_data_on_the_disk_is_read(string way)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[Half];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(0, Blocks), data, Phase(way)));
        AssertBytes(DiskPattern.Make(0, Half), data);
        File.WriteAllBytes("/out/disk-read.bin", data);
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady)); // the host and the disk are still synchronized
    }

    [Theory]
    [InlineData("synchronous")]
    [InlineData("queued")]
    [InlineData("ring")]
    public void Written_data_is_on_the_disk(string way)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[Half];
        Assert.Equal(CommandStatus.Passed, storage.Write(Scsi.Write(Blocks, Blocks), data)); // overwrites the data of an earlier run
        byte[] written = DiskPattern.Make(Half, Half, complement: true);
        Assert.Equal(CommandStatus.Passed, storage.Write(Scsi.Write(Blocks, Blocks), written, Phase(way)));
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.SynchronizeCache));
        data.AsSpan().Fill(0x55);
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(Blocks, Blocks), data));
        AssertBytes(DiskPattern.Make(Half, Half, complement: true), data);
    }

    [Theory]
    [InlineData("synchronous")]
    [InlineData("queued")]
    public void Device_memory_is_read_into(string way)
    {
        BulkOnlyStorage storage = Open();
        const int length = 2 << 20;
        using UsbBuffer memory = storage.Handle.AllocateBuffer(length, preferDeviceMemory: true);
        Assert.True(memory.IsDeviceMemory);
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(100, length / BulkOnlyStorage.BlockSize), memory.Memory, Phase(way)));
        AssertBytes(DiskPattern.Make(100 * BulkOnlyStorage.BlockSize, length), memory.GetSpan());
    }

    [Fact]
    public void Data_may_be_read_in_pieces_of_any_size()
    {
        BulkOnlyStorage storage = Open();
        const int length = 64 * 1024;
        byte[] data = new byte[length];
        uint tag = storage.SendCommand(Scsi.Read(7, length / BulkOnlyStorage.BlockSize), length, isIn: true);
        int position = 0;
        for (int piece = 1024; position < length; piece += 1024)
            position += storage.Input.Read(data.AsSpan(position, Math.Min(piece, length - position)), Patience);
        Assert.Equal(CommandStatus.Passed, storage.ReadStatus(tag));
        AssertBytes(DiskPattern.Make(7 * BulkOnlyStorage.BlockSize, length), data);
    }

    [Fact]
    public void A_block_beyond_the_disk_is_an_error_of_the_disk()
    {
        BulkOnlyStorage storage = Open();
        uint tag = storage.SendCommand(Scsi.Read(2 * Blocks, 1), BulkOnlyStorage.BlockSize, isIn: true);
        byte[] data = new byte[BulkOnlyStorage.BlockSize];
        UsbError error = storage.Input.TryRead(data, out _, Patience);
        if (error == UsbError.Pipe)
            storage.Input.ClearHalt();
        else
            Assert.Equal(UsbError.Success, error);
        Assert.Equal(new CommandStatus(1, BulkOnlyStorage.BlockSize), storage.ReadStatus(tag));
        Assert.Equal((Scsi.IllegalRequest, Scsi.OutOfRange), storage.RequestSense());
    }

    [Fact]
    public void Requesting_more_data_than_the_disk_sends_leaves_a_residue()
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[4096];
        uint tag = storage.SendCommand(Scsi.Read(3, 1), data.Length, isIn: true);
        int length = storage.Input.Read(data, Patience);
        Assert.True(length >= BulkOnlyStorage.BlockSize);
        AssertBytes(DiskPattern.Make(3 * BulkOnlyStorage.BlockSize, BulkOnlyStorage.BlockSize), data.AsSpan(0, BulkOnlyStorage.BlockSize));
        Assert.Equal(new CommandStatus(0, data.Length - BulkOnlyStorage.BlockSize), storage.ReadStatus(tag));
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady));
    }

    [Fact]
    public void A_status_that_does_not_fit_is_a_stall()
    {
        BulkOnlyStorage storage = Open();
        uint tag = storage.SendCommand(Scsi.TestUnitReady, 0, isIn: false);
        UsbException stall = Assert.Throws<UsbException>(() => storage.Input.Read(new byte[12], Patience));
        Assert.Equal(UsbError.Pipe, stall.Error);
        Assert.Equal(UsbError.Pipe, storage.Input.TryRead(new byte[12], out _, Patience));
        storage.Recover();
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady));
        Assert.NotEqual(0u, tag);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(32)]
    [InlineData(1)]
    public void A_command_of_a_wrong_length_stalls_until_the_interface_is_reset(int length)
    {
        BulkOnlyStorage storage = Open();
        Assert.Equal(UsbError.Pipe, storage.Output.TryWrite(new byte[length], out int sent, Patience));
        Assert.Equal(0, sent);
        storage.Recover();
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady));
    }

    [Fact]
    public void After_a_reset_the_device_is_the_same()
    {
        BulkOnlyStorage storage = Open();
        byte address = Disk.Device.Address;
        storage.Handle.Reset();
        Assert.Equal(address, Disk.Device.Address);
        storage.MakeReady();
        byte[] data = new byte[4096];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(0, 8), data));
        AssertBytes(DiskPattern.Make(0, 4096), data);
    }

    private static IDataPhase Phase(string way) => way switch
    {
        "queued" => new QueuedPhase(),
        "ring" => new RingPhase(),
        _ => SynchronousPhase.Instance,
    };
}
