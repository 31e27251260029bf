using Native.LibUsb;

try
{
    using var context = new UsbContext();
    using UsbDeviceList devices = context.GetDevices();
#if STREAM // what a program writes to that does not want a console: no signals, no terminal, one call of the system for all lines
    using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1024);
#else
    TextWriter output = Console.Out;
#endif
    foreach (UsbDevice device in devices)
        output.WriteLine($"Bus {device.BusNumber:D3} Device {device.Address:D3}: ID {device.VendorId:x4}:{device.ProductId:x4}");
    return 0;
}
catch (UsbException exception)
{
    Console.Error.WriteLine($"list: {exception.Message}");
    return 1;
}
