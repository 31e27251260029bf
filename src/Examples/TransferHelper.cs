// A callback made of one function for each way a transfer can end; a function that returns true has it submitted again.
// Needs a device with an interrupt IN endpoint, such as "interrupt" of usbvbus.

using Native.LibUsb;

namespace Examples;

internal static class TransferHelper
{
    private const byte InterruptIn = 0x83;

    public static void Run(ushort vendor, ushort product, int reports, TextWriter output)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);

        int completed = 0;
        var helper = new UsbTransferHelper();
        helper[UsbTransferStatus.Completed] = transfer =>
        {
            completed++;
            output.WriteLine($"Completed transfer: {transfer.ActualLength} bytes, data: {Convert.ToHexStringLower(transfer.Data)}");
            return true; // submit it again
        };
        helper[UsbTransferStatus.TimedOut] = _ =>
        {
            output.WriteLine("Transfer timed out");
            return true; // try again
        };
        helper[UsbTransferStatus.Canceled] = _ =>
        {
            output.WriteLine("Transfer was cancelled");
            return false;
        };
        helper.Default = transfer => // every other status: an unexpected status must not go unseen
        {
            output.WriteLine($"Transfer ended: {transfer.Status}");
            return false;
        };

        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterrupt(InterruptIn, 8, helper.Callback, timeout: TimeSpan.FromSeconds(1));
        transfer.Submit();
        output.WriteLine("Transfer with helper submitted");
        while (completed < reports && transfer.IsSubmitted) // not submitted any more: it failed, and nothing will come
            context.HandleEvents(TimeSpan.FromSeconds(1));

        // A transfer can time out, and on some systems complete, while it is being cancelled; then a function says "again". Doom refuses
        // that: without it the second loop might never end.
        transfer.Doom();
        transfer.TryCancel();
        while (transfer.IsSubmitted)
            context.HandleEvents(TimeSpan.FromSeconds(1));
    }
}
