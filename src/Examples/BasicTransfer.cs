// One asynchronous bulk transfer: submit it, handle events until it has ended, look at how it ended.
// Needs a device that returns on bulk IN the data that it got on bulk OUT, such as "loopback" of usbvbus.

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

        // Room for whole packets: a device that sends more than there is room for makes an overflow.
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkIn, 1024, OnEnded, timeout: TimeSpan.FromSeconds(1));
        transfer.Submit();
        output.WriteLine("Transfer submitted");

        // Callbacks run in here, on this thread. While the transfer is submitted its buffer and results belong to libusb.
        while (transfer.IsSubmitted)
            context.HandleEvents(TimeSpan.FromSeconds(1));

        void OnEnded(UsbTransfer transfer)
        {
            switch (transfer.Status)
            {
                case UsbTransferStatus.Completed:
                    ReadOnlySpan<byte> data = transfer.Data; // no copy: a view of the data that arrived, valid until the next submission
                    output.WriteLine($"Transfer completed: {data.Length} bytes");
                    output.WriteLine($"Received: {Convert.ToHexStringLower(data[..Math.Min(20, data.Length)])}");
                    break;
                case UsbTransferStatus.TimedOut:
                    output.WriteLine($"Transfer timed out after {transfer.ActualLength} bytes"); // data that arrived in time is not lost
                    break;
                default:
                    output.WriteLine($"Transfer ended: {transfer.Status}");
                    break;
            }
        }
    }
}
