// Questions and answers over two bulk endpoints, with await and a cancellation token. No code for events: the context handles them.
// Needs a device that returns on bulk IN the data that it got on bulk OUT, such as "loopback" of usbvbus.

using System.Text;
using Native.LibUsb;

namespace Examples;

internal static class AwaitedTransfers
{
    public static async Task RunAsync(ushort vendor, ushort product, int count, TextWriter output, CancellationToken stop = default)
    {
        await using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        await using UsbDeviceHandle handle = device.Open();
        await using UsbInterface claimed = handle.ClaimInterface(0);
        UsbEndpoint toDevice = claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk);
        UsbEndpoint fromDevice = claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk);
        output.WriteLine($"Writing to endpoint 0x{toDevice.Address:x2}, reading from endpoint 0x{fromDevice.Address:x2}");

        // Room for whole packets. The array is pinned until the read has ended, and nothing is copied.
        byte[] answer = new byte[fromDevice.Descriptor.MaxPacketSize];
        for (int i = 1; i <= count; i++)
        {
            ValueTask<int> read = fromDevice.ReadAsync(answer, stop); // in flight before the question is sent, so that no answer waits
            await toDevice.WriteAsync(Encoding.ASCII.GetBytes($"question {i}"), stop);
            int length = await read;
            output.WriteLine($"Answer: {Encoding.ASCII.GetString(answer, 0, length)}");
        }

        // No further answer comes. The token cancels the read in the system too, and the exception carries the number of bytes that had arrived.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromMilliseconds(100));
        try
        {
            await fromDevice.ReadAsync(answer, patience.Token);
        }
        catch (UsbTransferCanceledException canceled) when (!stop.IsCancellationRequested)
        {
            output.WriteLine($"Reading was cancelled after {canceled.BytesTransferred} bytes");
        }
    }
}
