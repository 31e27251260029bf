using Native.LibUsb;

// This program uses the package, and makes the first calls of a typical program. eng/consumer-test.sh publishes this program in several ways and checks its
// output.
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

if (args is ["wait"])
{
    using var watching = new UsbContext();
    IAsyncEnumerable<UsbHotplugNotification> notifications = watching.WatchDevicesAsync(enumerate: false);
    Console.WriteLine("waiting");
    await foreach (UsbHotplugNotification notification in notifications)
    {
        using UsbDevice changed = notification.Device;
        bool left = notification.Event == UsbHotplugEvents.Left;
        Console.WriteLine($"{(left ? "left" : "arrived")} {changed.Descriptor.VendorId:x4}:{changed.Descriptor.ProductId:x4}");
        if (left)
            return;
    }
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
