using System.Buffers.Binary;
using System.Text;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>A disk: commands and statuses, and much data both ways.</summary>
/// <remarks>
/// When these tests have run, the second half of the disk's image is the complement of its pattern, and the first half is untouched. The host
/// can see both, without USB and without this program.
/// </remarks>
public sealed class StorageTests : StorageTest
{
    private const int Blocks = Half / BulkOnlyStorage.BlockSize;

    [Fact]
    public void It_says_what_it_is()
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
    public void What_is_on_the_disk_is_read(string way)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[Half];
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(0, Blocks), data, Phase(way)));
        AssertBytes(DiskPattern.Make(0, Half), data);
        File.WriteAllBytes("/out/disk-read.bin", data);
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady)); // and the two ends agree
    }

    [Theory]
    [InlineData("synchronous")]
    [InlineData("queued")]
    [InlineData("ring")]
    public void What_is_written_is_on_the_disk(string way)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[Half];
        Assert.Equal(CommandStatus.Passed, storage.Write(Scsi.Write(Blocks, Blocks), data)); // nothing of an earlier time is left
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
    public void What_the_disk_has_not_is_an_error_of_its_own()
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
    public void More_asked_for_than_there_is_leaves_a_residue()
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
    public void A_command_of_another_length_is_a_stall_until_it_is_reset(int length)
    {
        BulkOnlyStorage storage = Open();
        Assert.Equal(UsbError.Pipe, storage.Output.TryWrite(new byte[length], out int sent, Patience));
        Assert.Equal(0, sent);
        storage.Recover();
        Assert.Equal(CommandStatus.Passed, storage.Command(Scsi.TestUnitReady));
    }

    [Fact]
    public void After_a_reset_it_is_the_same_device()
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
