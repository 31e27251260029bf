using Native.LibUsb;
using Native.LibUsb.Testing;

namespace Consumer;

/// <summary>
/// Sends bytes to a device on the virtual bus and reads them back, as a test in a user's project would. The tests for xunit and NUnit call this class.
/// </summary>
internal static class Loopback
{
    public static async Task<byte[]> SendAsync(byte[] message)
    {
        using VirtualBus bus = new();
        using UsbContext context = new();
        bus.Attach(new BulkLoopback());
        using UsbDevice device = context.FindDevice(0x1209, 0x0011) ?? throw new IOException("The context does not list the device on the bus.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        await claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk).WriteAsync(message);
        byte[] buffer = new byte[512];
        int count = await claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk).ReadAsync(buffer);
        return buffer[..count];
    }
}
