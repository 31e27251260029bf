using Native.LibUsb;

try
{
    using var context = new UsbContext();
    using UsbDeviceList devices = context.GetDevices();
    foreach (UsbDevice device in devices)
        Console.WriteLine($"Bus {device.BusNumber:D3} Device {device.Address:D3}: ID {device.VendorId:x4}:{device.ProductId:x4}");
    return 0;
}
catch (UsbException exception)
{
    Console.Error.WriteLine($"list: {exception.Message}");
    return 1;
}
