// Reports of an interrupt endpoint, as of a mouse, read into the program's own memory while an event thread of the library's runs.
// Needs a device with an interrupt IN endpoint, such as "interrupt" of usbvbus.

using Native.LibUsb;

namespace Examples;

internal static class InterruptRead
{
    public static void Run(ushort vendor, ushort product, int reports, TextWriter output)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        UsbEndpoint endpoint = claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Interrupt);
        int size = endpoint.Descriptor.BytesPerInterval;
        output.WriteLine($"Reading {reports} reports of up to {size} bytes from endpoint 0x{endpoint.Address:x2}");

        using var done = new ManualResetEventSlim(reports == 0);
        byte[] report = new byte[size]; // pinned while the transfer has it: nothing is copied
        using UsbTransfer transfer = endpoint.CreateTransfer();
        transfer.SetInterruptPinned(endpoint.Address, report, transfer =>
        {
            bool completed = transfer.Status == UsbTransferStatus.Completed;
            output.WriteLine(completed ? $"Report: {Convert.ToHexStringLower(transfer.Data)}" : $"Reading ended: {transfer.Status}");
            if (!completed || --reports == 0)
                done.Set();
            else if (transfer.TrySubmit() is not UsbError.Success and var error)
            {
                output.WriteLine($"Reading ended: {error}"); // an exception on the event thread would end the process
                done.Set();
            }
        });
        if (reports > 0)
            transfer.Submit();

        // Callbacks run on this thread of the library's, and this one is free for other work. Disposing it stops it.
        using UsbEventThread events = context.StartEventThread();
        done.Wait();
    }
}
