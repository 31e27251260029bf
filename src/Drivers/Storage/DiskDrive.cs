using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Native.LibUsb;

namespace Drivers.Storage;

/// <summary>Represents a disk that uses the bulk-only transport of USB. The disk may be a memory stick, a card reader or an external disk. The class is
/// thread-safe.</summary>
public sealed class DiskDrive : IAsyncDisposable
{
    private const byte StorageClass = 0x08, ScsiSubclass = 0x06, BulkOnlyProtocol = 0x50;
    private const int MostBytes = 128 * 1024; // the maximum number of data bytes per command
    private const int MostAttentions = 5;

    private readonly UsbDeviceHandle _handle;
    private readonly BulkOnlyTransport _transport;
    private readonly SemaphoreSlim _turn = new(1); // the transport can execute only one command at a time

    private DiskDrive(UsbDeviceHandle handle, int interfaceNumber)
    {
        _handle = handle;
        _transport = new BulkOnlyTransport(handle.ClaimInterface(interfaceNumber));
    }

    /// <summary>Gets the filter that finds such disks.</summary>
    public static UsbDeviceFilter Filter { get; } = new() { InterfaceClass = StorageClass, InterfaceSubClass = ScsiSubclass, InterfaceProtocol = BulkOnlyProtocol };

    /// <summary>Gets the name of the vendor.</summary>
    public string Vendor { get; private set; } = "";

    /// <summary>Gets the name of the product.</summary>
    public string Product { get; private set; } = "";

    /// <summary>Gets the size of a block in bytes.</summary>
    public int BlockSize { get; private set; }

    /// <summary>Gets the number of blocks.</summary>
    public long BlockCount { get; private set; }

    /// <summary>Gets or sets the time limit of each transfer of a command: the command, its data, and its status.</summary>
    public TimeSpan Patience
    {
        get => _transport.Patience;
        set => _transport.Patience = value;
    }

    /// <summary>
    /// Opens a disk, and reads its vendor name, its product name and its size. If a kernel driver was attached, disposing the disk attaches the driver again.
    /// </summary>
    /// <param name="device">The device. It needs an interface for mass storage with SCSI and the bulk-only transport.</param>
    /// <param name="cancellationToken">A token that cancels the commands.</param>
    /// <exception cref="DiskException">The device has no mass-storage interface of this kind, or does not become ready.</exception>
    /// <exception cref="UsbException">The device cannot be opened.</exception>
    public static async Task<DiskDrive> OpenAsync(UsbDevice device, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        int number = FindInterface(device);
        UsbDeviceHandle handle = device.Open();
        try
        {
            handle.TrySetAutoDetachKernelDriver(true); // fails only on Windows, where no kernel driver holds the interface
            var disk = new DiskDrive(handle, number);
            await disk.IdentifyAsync(cancellationToken).ConfigureAwait(false);
            return disk;
        }
        catch
        {
            await handle.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads blocks.</summary>
    /// <param name="block">The number of the first block.</param>
    /// <param name="buffer">The buffer for the data. Its size must be a multiple of the block size.</param>
    /// <param name="cancellationToken">A token that cancels the current command.</param>
    /// <exception cref="ArgumentException">The buffer size is not a multiple of the block size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The disk does not contain all of these blocks.</exception>
    /// <exception cref="DiskException">The disk did not read the blocks. <see cref="DiskException.Sense"/> contains the reason.</exception>
    public Task ReadAsync(long block, Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        MoveAsync(block, buffer, UsbDirection.In, cancellationToken);

    /// <summary>Writes blocks.</summary>
    /// <param name="block">The number of the first block.</param>
    /// <param name="data">The data. Its size must be a multiple of the block size.</param>
    /// <param name="cancellationToken">A token that cancels the current command.</param>
    /// <exception cref="ArgumentException">The data size is not a multiple of the block size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The disk does not contain all of these blocks.</exception>
    /// <exception cref="DiskException">The disk did not write the blocks. <see cref="DiskException.Sense"/> contains the reason.</exception>
    public Task WriteAsync(long block, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        MoveAsync(block, MemoryMarshal.AsMemory(data), UsbDirection.Out, cancellationToken);

    /// <summary>Makes the disk write the contents of its cache to the medium.</summary>
    /// <param name="cancellationToken">A token that cancels the command.</param>
    /// <exception cref="DiskException">The disk did not execute the command.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default) =>
        await CommandAsync(Scsi.SynchronizeCache(), UsbDirection.Out, default, cancellationToken).ConfigureAwait(false);

    /// <summary>Closes the disk without writing its cache. To write the cache, call <see cref="FlushAsync"/> first.</summary>
    /// <returns>A task that completes when the device is closed.</returns>
    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return _handle.DisposeAsync();
    }

    private static int FindInterface(UsbDevice device)
    {
        foreach (UsbInterfaceSettings settings in device.GetActiveConfigurationDescriptor().Interfaces)
        {
            if (settings.AlternateSettings[0] is { Class: StorageClass, SubClass: ScsiSubclass, Protocol: BulkOnlyProtocol } setting)
                return setting.InterfaceNumber;
        }

        throw new DiskException($"Device {device} has no interface for mass storage with SCSI and the bulk-only transport.");
    }

    private async ValueTask IdentifyAsync(CancellationToken cancellationToken)
    {
        byte[] answer = new byte[Scsi.InquirySize];
        await ReadAllAsync(Scsi.Inquiry(), answer, cancellationToken).ConfigureAwait(false);
        Vendor = Encoding.ASCII.GetString(answer, 8, 8).Trim();
        Product = Encoding.ASCII.GetString(answer, 16, 16).Trim();

        // A disk that was just plugged in reports this in its first answers, as unit attentions.
        for (int attentions = 0; ; attentions++)
        {
            try
            {
                await CommandAsync(Scsi.TestUnitReady(), UsbDirection.Out, default, cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (DiskException exception) when (exception.Sense?.Key == DiskSense.UnitAttention && attentions < MostAttentions)
            {
            }
        }

        byte[] capacity = new byte[Scsi.CapacitySize];
        await ReadAllAsync(Scsi.ReadCapacity(), capacity, cancellationToken).ConfigureAwait(false);
        uint last = BinaryPrimitives.ReadUInt32BigEndian(capacity), size = BinaryPrimitives.ReadUInt32BigEndian(capacity.AsSpan(4));
        if (size is < 512 or > 4096 || (size & (size - 1)) != 0)
            throw new DiskException($"The disk reports blocks of {size} bytes; 512, 1024, 2048 and 4096 are supported.");
        if (last == uint.MaxValue)
            throw new DiskException("The disk has more blocks than a 10-byte command can name.");
        BlockSize = (int)size;
        BlockCount = last + 1L;
    }

    private async Task MoveAsync(long block, Memory<byte> data, UsbDirection direction, CancellationToken cancellationToken)
    {
        if (data.Length % BlockSize != 0)
            throw new ArgumentException($"{data.Length} bytes are no whole blocks of {BlockSize} bytes.", nameof(data));
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(block, BlockCount - (data.Length / BlockSize));
        while (!data.IsEmpty)
        {
            Memory<byte> part = data[..Math.Min(data.Length, MostBytes)];
            ushort count = (ushort)(part.Length / BlockSize);
            if (direction == UsbDirection.In)
                await ReadAllAsync(Scsi.Read((uint)block, count), part, cancellationToken).ConfigureAwait(false);
            else
                await MoveAllAsync(Scsi.Write((uint)block, count), direction, part, cancellationToken).ConfigureAwait(false);
            block += count;
            data = data[part.Length..];
        }
    }

    private ValueTask ReadAllAsync(byte[] command, Memory<byte> data, CancellationToken cancellationToken) =>
        MoveAllAsync(command, UsbDirection.In, data, cancellationToken);

    private async ValueTask MoveAllAsync(byte[] command, UsbDirection direction, Memory<byte> data, CancellationToken cancellationToken)
    {
        int moved = await CommandAsync(command, direction, data, cancellationToken).ConfigureAwait(false);
        if (moved != data.Length)
            throw new DiskException($"The disk processed {moved} of the {data.Length} bytes of the command 0x{command[0]:x2}, and reported no error.");
    }

    /// <returns>The number of bytes that the disk processed.</returns>
    private async ValueTask<int> CommandAsync(byte[] command, UsbDirection direction, Memory<byte> data, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (CommandStatus status, int moved) = await _transport.ExecuteAsync(command, direction, data, cancellationToken).ConfigureAwait(false);
            if (!status.HasFailed)
                return Math.Min(moved, data.Length - status.Residue);
            byte[] sense = new byte[DiskSense.Size];
            (status, moved) = await _transport.ExecuteAsync(Scsi.RequestSense(), UsbDirection.In, sense, cancellationToken).ConfigureAwait(false);
            DiskSense reason = DiskSense.Parse(sense.AsSpan(0, status.HasFailed ? 0 : moved));
            throw new DiskException($"The disk did not execute the command 0x{command[0]:x2}: {reason}.") { Sense = reason };
        }
        finally
        {
            _turn.Release();
        }
    }
}
