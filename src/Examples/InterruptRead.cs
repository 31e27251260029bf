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
        using UsbInterface claim = handle.ClaimInterface(0);
        (byte endpoint, int size) = FindInterruptIn(device);
        output.WriteLine($"Reading {reports} reports of up to {size} bytes from endpoint 0x{endpoint:x2}");

        using var done = new ManualResetEventSlim(reports == 0);
        byte[] report = new byte[size]; // stays where it is while the transfer has it: nothing is copied
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterrupt(endpoint, report, transfer =>
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

    private static (byte Address, int Size) FindInterruptIn(UsbDevice device)
    {
        UsbEndpointDescriptor endpoint = device.GetActiveConfigurationDescriptor().Interfaces
            .Where(one => one.Number == 0)
            .SelectMany(one => one.AlternateSettings[0].Endpoints)
            .FirstOrDefault(one => one is { TransferType: UsbTransferType.Interrupt, Direction: UsbDirection.In })
            ?? throw new IOException("Interface 0 has no interrupt IN endpoint.");
        return (endpoint.Address, endpoint.BytesPerInterval);
    }
}
