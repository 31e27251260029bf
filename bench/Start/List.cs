using Native.LibUsb;

// Like the program in C, this program writes all lines together. Console.Out would write each line separately. It would also start a thread that handles signals.
using var output = new StreamWriter(Console.OpenStandardOutput());
try
{
    using var context = new UsbContext();
    using UsbDeviceList devices = context.GetDevices();
    foreach (UsbDevice device in devices)
        output.WriteLine($"Bus {device.BusNumber:D3} Device {device.Address:D3}: ID {device.VendorId:x4}:{device.ProductId:x4}");
    return 0;
}
catch (UsbException exception)
{
    Console.Error.WriteLine($"list: {exception.Message}");
    return 1;
}
