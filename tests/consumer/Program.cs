using Native.LibUsb;

// What a program of a stranger does first. eng/consumer-test.sh publishes it in several ways and reads what it prints.
if (args is ["trace"])
{
    try
    {
        UsbLibrary.SetPath("");
    }
    catch (ArgumentException exception)
    {
        Console.WriteLine(exception.StackTrace);
    }

    return;
}

Console.WriteLine($"version {UsbLibrary.Version.ToVersion()}");
Console.WriteLine($"static {UsbLibrary.IsStaticallyLinked}");
Console.WriteLine($"path {UsbLibrary.LoadedPath}");
Console.WriteLine($"newer {UsbLibrary.HasFunction("libusb_init_context")}");
Console.WriteLine($"unknown {UsbLibrary.HasFunction("libusb_no_such_function")}");
using var context = new UsbContext();
using UsbDeviceList devices = context.GetDevices();
foreach (UsbDevice device in devices)
    Console.WriteLine($"device {device.Descriptor.VendorId:x4}:{device.Descriptor.ProductId:x4}");
Console.WriteLine($"devices {devices.Count}");
