using Drivers.Storage;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Storage;

/// <summary>Represents a test of a <see cref="DiskDrive"/> on a <see cref="VirtualDisk"/>.</summary>
public abstract class DiskTest : BusTest
{
    private protected VirtualDisk Device { get; } = new();

    private protected async Task<DiskDrive> OpenAsync()
    {
        Bus.Attach(Device);
        using UsbDevice device = Context.FindDevice(DiskDrive.Filter)!;
        return await DiskDrive.OpenAsync(device).WaitAsync(Patience);
    }

    protected static byte[] Pattern(int length, int seed)
    {
        byte[] data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    /// <summary>Checks that the disk still accepts commands from the driver.</summary>
    private protected static async Task CheckWorksAsync(DiskDrive disk)
    {
        byte[] data = Pattern(1024, 9), back = new byte[1024];
        await disk.WriteAsync(7, data).WaitAsync(Patience);
        await disk.ReadAsync(7, back).WaitAsync(Patience);
        Assert.Equal(data, back);
    }
}
