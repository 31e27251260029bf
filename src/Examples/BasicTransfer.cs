// Performs one asynchronous bulk transfer: submits the transfer, handles events until the transfer has ended, and examines the result. The example needs a
// device that receives data on its bulk OUT endpoint and returns this data on its bulk IN endpoint, such as the device "loopback" of usbvbus.

using Native.LibUsb;

namespace Examples;

internal static class BasicTransfer
{
    private const byte BulkOut = 0x02, BulkIn = 0x82;

    public static void Run(ushort vendor, ushort product, TextWriter output)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        claimed.GetEndpoint(BulkOut).Write("Hello, USB!"u8, TimeSpan.FromSeconds(5));

        // The size of the buffer is a multiple of the packet size. If a packet does not fit into the buffer, the transfer ends with an overflow.
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkIn, 1024, OnEnded, timeout: TimeSpan.FromSeconds(1));
        transfer.Submit();
        output.WriteLine("Transfer submitted");

        // HandleEvents calls the callback on this thread. Until the callback runs, libusb may write to the buffer and the results of the transfer, so the
        // program must not use them.
        while (transfer.IsSubmitted)
            context.HandleEvents(TimeSpan.FromSeconds(1));

        void OnEnded(UsbTransfer transfer)
        {
            switch (transfer.Status)
            {
                case UsbTransferStatus.Completed:
                    ReadOnlySpan<byte> data = transfer.Data; // a view of the received data without a copy, valid until the next submission
                    output.WriteLine($"Transfer completed: {data.Length} bytes");
                    output.WriteLine($"Received: {Convert.ToHexStringLower(data[..Math.Min(20, data.Length)])}");
                    break;
                case UsbTransferStatus.TimedOut:
                    output.WriteLine($"Transfer timed out after {transfer.ActualLength} bytes"); // data that arrived before the timeout is kept
                    break;
                default:
                    output.WriteLine($"Transfer ended: {transfer.Status}");
                    break;
            }
        }
    }
}
