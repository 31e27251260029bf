// Builds a callback from several functions, one for each final status of a transfer. If a function returns true, the transfer is submitted again. The example
// needs a device with an interrupt IN endpoint, such as "interrupt" of usbvbus.

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
        helper.Default = transfer => // for every other status, so that no unexpected status is ignored
        {
            output.WriteLine($"Transfer ended: {transfer.Status}");
            return false;
        };

        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterrupt(InterruptIn, 8, helper.Callback, timeout: TimeSpan.FromSeconds(1));
        transfer.Submit();
        output.WriteLine("Transfer with helper submitted");
        while (completed < reports && transfer.IsSubmitted) // if the transfer has failed, it is not submitted again, and the loop ends
            context.HandleEvents(TimeSpan.FromSeconds(1));

        // A transfer can still time out while it is being cancelled. On some systems, it can also complete. One of the functions above would then submit the
        // transfer again, and the loop below might never end. After Doom is called, the transfer cannot be submitted again.
        transfer.Doom();
        transfer.TryCancel();
        while (transfer.IsSubmitted)
            context.HandleEvents(TimeSpan.FromSeconds(1));
    }
}
