// Reads reports from an interrupt endpoint, such as the endpoint of a mouse. The library stores the reports in the program's own memory. A thread of the
// library handles the events. The example needs a device with an interrupt IN endpoint, for example the virtual device "interrupt" of usbvbus.

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
        byte[] report = new byte[size]; // pinned while the transfer uses it, so that no data is copied
        using UsbTransfer transfer = endpoint.CreateTransfer();
        transfer.SetInterruptPinned(endpoint.Address, report, transfer =>
        {
            bool completed = transfer.Status == UsbTransferStatus.Completed;
            output.WriteLine(completed ? $"Report: {Convert.ToHexStringLower(transfer.Data)}" : $"Reading ended: {transfer.Status}");
            if (!completed || --reports == 0)
                done.Set();
            else if (transfer.TrySubmit() is not UsbError.Success and var error)
            {
                output.WriteLine($"Reading ended: {error}"); // TrySubmit is used because an exception on the event thread would end the process
                done.Set();
            }
        });
        if (reports > 0)
            transfer.Submit();

        // Callbacks run on the library's event thread, so the calling thread is free for other work. Disposing the event thread stops it.
        using UsbEventThread events = context.StartEventThread();
        done.Wait();
    }
}
