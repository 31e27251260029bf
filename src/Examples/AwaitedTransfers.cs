// Uses await to send questions and receive answers over two bulk endpoints. A cancellation token ends the last read. The context handles the events, so the
// example needs no code for them. The device must return the data of its bulk OUT endpoint on its bulk IN endpoint. For example, the device "loopback" of
// usbvbus does this.

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

        // The array has room for whole packets. It is pinned until the read ends, and no data is copied.
        byte[] answer = new byte[fromDevice.Descriptor.MaxPacketSize];
        for (int i = 1; i <= count; i++)
        {
            ValueTask<int> read = fromDevice.ReadAsync(answer, stop); // submitted before the question, so that the device can answer immediately
            await toDevice.WriteAsync(Encoding.ASCII.GetBytes($"question {i}"), stop);
            int length = await read;
            output.WriteLine($"Answer: {Encoding.ASCII.GetString(answer, 0, length)}");
        }

        // No further answer arrives, so the token cancels this read. The library then also cancels the transfer in the operating system. The exception contains
        // the number of bytes that had arrived.
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
