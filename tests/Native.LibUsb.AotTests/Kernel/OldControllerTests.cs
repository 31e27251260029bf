using System.Text;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// The disk on a controller that does not take a bulk transfer whole: of one transfer libusb makes many URBs of 16 KiB, which fail together.
/// </summary>
public sealed class OldControllerTests : StorageTest
{
    private const int Piece = 16 << 10;

    private readonly List<string> _log = [];

    public OldControllerTests()
        : base(QemuDevice.OldController)
    {
    }

    [Fact]
    public void A_bulk_transfer_in_pieces_is_one_transfer()
    {
        BulkOnlyStorage storage = Open();
        Assert.Equal(UsbSpeed.Full, Disk.Device.Speed);
        byte[] data = new byte[(16 * Piece) - BulkOnlyStorage.BlockSize];
        Listen();
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(5, data.Length / BulkOnlyStorage.BlockSize), data));
        Context.SetLogHandler(null);
        lock (_log)
            Assert.Contains(_log, line => line.Contains($"need 16 urbs for new transfer with length {data.Length}", StringComparison.Ordinal));
        AssertBytes(DiskPattern.Make(5 * BulkOnlyStorage.BlockSize, data.Length), data);

        // What is there already, so that the image stays as it is.
        Assert.Equal(CommandStatus.Passed, storage.Write(Scsi.Write(5, data.Length / BulkOnlyStorage.BlockSize), data));
        data.AsSpan().Clear();
        Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(5, data.Length / BulkOnlyStorage.BlockSize), data, new QueuedPhase()));
        AssertBytes(DiskPattern.Make(5 * BulkOnlyStorage.BlockSize, data.Length), data);
    }

    // The device has less than was announced, and ends the data in the middle of the transfer.
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(100)]
    public void What_ends_in_the_middle_ends_all_pieces_and_the_next_transfer_is_clean(int blocks)
    {
        BulkOnlyStorage storage = Open();
        byte[] data = new byte[8 * Piece];
        for (int round = 0; round < 3; round++)
        {
            uint tag = storage.SendCommand(Scsi.Read(3, blocks), data.Length, isIn: true);
            UsbError error = storage.Handle.TryBulkRead(storage.In, data, out int length, Patience);
            if (error == UsbError.Pipe)
                storage.Handle.ClearHalt(storage.In);
            else
                Assert.Equal(UsbError.Success, error);
            Assert.True(length >= blocks * BulkOnlyStorage.BlockSize, $"{length} bytes are not {blocks} blocks.");
            AssertBytes(DiskPattern.Make(3 * BulkOnlyStorage.BlockSize, blocks * BulkOnlyStorage.BlockSize), data.AsSpan(0, blocks * BulkOnlyStorage.BlockSize));
            Assert.Equal(new CommandStatus(0, data.Length - (blocks * BulkOnlyStorage.BlockSize)), storage.ReadStatus(tag));

            byte[] next = new byte[2 * Piece];
            Assert.Equal(CommandStatus.Passed, storage.Read(Scsi.Read(9, next.Length / BulkOnlyStorage.BlockSize), next));
            AssertBytes(DiskPattern.Make(9 * BulkOnlyStorage.BlockSize, next.Length), next);
        }
    }

    private void Listen()
    {
        Context.SetLogLevel(UsbLogLevel.Debug);
        Context.SetLogHandler((_, message) =>
        {
            lock (_log)
                _log.Add(Encoding.UTF8.GetString(message));
        });
    }
}
