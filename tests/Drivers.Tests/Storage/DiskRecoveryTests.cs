using Drivers.Storage;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Storage;

/// <summary>Tests a disk that violates the protocol. The driver must report a clear error, and the disk must be usable afterwards.</summary>
public sealed class DiskRecoveryTests : DiskTest
{
    [BusTheory]
    [InlineData("tag", "The disk ended command 0x")]
    [InlineData("signature", "without the signature")]
    [InlineData("short", "with 5 bytes instead of 13")]
    [InlineData("phase", "phase error")]
    [InlineData("unknown", "unknown status 7")]
    [InlineData("residue", "bytes of 512 are left over")]
    [InlineData("empty", "with 0 bytes instead of 13")]
    [InlineData("long", "sent more than")]
    public async Task A_wrong_status_wrapper_is_an_error_and_the_interface_is_reset(string kind, string message)
    {
        await using DiskDrive disk = await OpenAsync();
        Device.ChangeStatus = wrapper =>
        {
            switch (kind)
            {
                case "tag": wrapper[4]++; break;
                case "signature": wrapper[0]++; break;
                case "phase": wrapper[12] = 2; break;
                case "unknown": wrapper[12] = 7; break;
                case "residue": wrapper[11] = 0x80; break;
                case "short": return wrapper[..5];
                case "empty": return [];
                default: return new byte[100];
            }

            return wrapper;
        };
        DiskException broken = await Assert.ThrowsAsync<DiskException>(() => disk.ReadAsync(0, new byte[512]).WaitAsync(Patience));
        Assert.Contains(message, broken.Message, StringComparison.Ordinal);
        Assert.Equal(1, Device.InterfaceResets);
        await CheckWorksAsync(disk);
    }

    [BusFact]
    public async Task A_status_that_is_stalled_once_is_read_again()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.StallsStatus = true;
        await CheckWorksAsync(disk);
        Assert.Equal(0, Device.InterfaceResets);
    }

    [BusFact]
    public async Task A_stall_in_the_data_ends_it_and_the_status_follows()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.StallsData = true;
        DiskException cut = await Assert.ThrowsAsync<DiskException>(() => disk.ReadAsync(0, new byte[2048]).WaitAsync(Patience));
        Assert.Contains("1024 of the 2048 bytes", cut.Message, StringComparison.Ordinal);
        await CheckWorksAsync(disk);
        Assert.Equal(0, Device.InterfaceResets);
    }

    [BusFact]
    public async Task Less_data_than_requested_is_an_error()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.OtherData = (0x28, new byte[100]);
        DiskException cut = await Assert.ThrowsAsync<DiskException>(() => disk.ReadAsync(0, new byte[1024]).WaitAsync(Patience));
        Assert.Contains("100 of the 1024 bytes", cut.Message, StringComparison.Ordinal);
        await CheckWorksAsync(disk);
    }

    [BusFact]
    public async Task More_data_than_requested_is_an_error()
    {
        await using DiskDrive disk = await OpenAsync();
        Device.OtherData = (0x28, new byte[4096]);
        DiskException over = await Assert.ThrowsAsync<DiskException>(() => disk.ReadAsync(0, new byte[512]).WaitAsync(Patience));
        Assert.Contains("sent more than", over.Message, StringComparison.Ordinal);
        await CheckWorksAsync(disk);
    }

    [BusTheory]
    [InlineData(0u)]
    [InlineData(513u)]
    [InlineData(0x80000000u)]
    public async Task An_invalid_block_size_is_refused(uint size)
    {
        byte[] capacity = [0, 0, 0, 9, (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size];
        Device.OtherData = (0x25, capacity);
        Device.Attentions = 0;
        DiskException refused = await Assert.ThrowsAsync<DiskException>(OpenAsync);
        Assert.Contains($"blocks of {size} bytes", refused.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public async Task A_command_without_an_answer_times_out_and_the_disk_works_later()
    {
        await using DiskDrive disk = await OpenAsync();
        disk.Patience = TimeSpan.FromMilliseconds(50);
        Device.Endpoint(VirtualDisk.InAddress).Hold();
        DiskException silent = await Assert.ThrowsAsync<DiskException>(() => disk.ReadAsync(0, new byte[512]).WaitAsync(Patience));
        Assert.Contains("within 0.05 s", silent.Message, StringComparison.Ordinal);
        Device.Endpoint(VirtualDisk.InAddress).Resume();
        disk.Patience = Patience;
        await CheckWorksAsync(disk);
    }

    [BusFact]
    public async Task A_cancelled_command_leaves_the_disk_usable()
    {
        await using DiskDrive disk = await OpenAsync();
        VirtualDisk device = Device;
        device.Endpoint(VirtualDisk.InAddress).Hold();
        using var cancellation = new CancellationTokenSource();
        Task reading = disk.ReadAsync(0, new byte[512], cancellation.Token);
        Assert.True(device.Endpoint(VirtualDisk.InAddress).WaitForPending(1, Patience));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience));
        device.Endpoint(VirtualDisk.InAddress).Resume();
        await CheckWorksAsync(disk);
        Assert.Equal(1, device.InterfaceResets);
    }
}
