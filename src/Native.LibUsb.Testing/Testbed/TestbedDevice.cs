using System.Globalization;

namespace Native.LibUsb.Testing;

/// <summary>A USB device as sysfs and udev describe it.</summary>
internal sealed class TestbedDevice
{
    public TestbedDevice(VirtualDevice device, string path)
    {
        DeviceDescription description = device.Description;
        Path = path;
        Node = string.Create(CultureInfo.InvariantCulture, $"bus/usb/{device.BusNumber:d3}/{device.DeviceNumber:d3}");
        Descriptors = device.AllDescriptors;
        string port = device.PortPath!;
        Properties =
        [
            ("DEVPATH", path["/sys".Length..]),
            ("SUBSYSTEM", "usb"),
            ("DEVTYPE", "usb_device"),
            ("DEVNAME", "/dev/" + Node),
            ("MAJOR", "189"),
            ("MINOR", Text($"{((device.BusNumber - 1) * 128) + device.DeviceNumber - 1}")),
            ("DRIVER", "usb"),
            ("BUSNUM", Text($"{device.BusNumber:d3}")),
            ("DEVNUM", Text($"{device.DeviceNumber:d3}")),
            ("PRODUCT", Text($"{description.VendorId:x}/{description.ProductId:x}/{description.Release:x}")),
            ("TYPE", Text($"{description.Class}/{description.Subclass}/{description.Protocol}")),
        ];
        Attributes =
        [
            ("bConfigurationValue", Text($"{device.Configuration}")),
            ("bDeviceClass", Text($"{description.Class:x2}")),
            ("bDeviceSubClass", Text($"{description.Subclass:x2}")),
            ("bDeviceProtocol", Text($"{description.Protocol:x2}")),
            ("bNumConfigurations", Text($"{description.Configurations.Count}")),
            ("bNumInterfaces", Text($"{description.Configurations[0].Interfaces.Count,2}")),
            ("bMaxPacketSize0", Text($"{description.ControlPacket}")),
            ("bmAttributes", Text($"{Descriptors[18 + 7]:x2}")),
            ("bcdDevice", Text($"{description.Release:x4}")),
            ("busnum", Text($"{device.BusNumber}")),
            ("dev", Text($"189:{((device.BusNumber - 1) * 128) + device.DeviceNumber - 1}")),
            ("devnum", Text($"{device.DeviceNumber}")),
            ("devpath", port.Contains('-', StringComparison.Ordinal) ? port[(port.IndexOf('-', StringComparison.Ordinal) + 1)..] : "0"),
            ("idVendor", Text($"{description.VendorId:x4}")),
            ("idProduct", Text($"{description.ProductId:x4}")),
            ("maxchild", device is VirtualHub hub ? Text($"{hub.Ports}") : "0"),
            ("speed", description.Speed switch
            {
                VirtualSpeed.Low => "1.5",
                VirtualSpeed.Full => "12",
                VirtualSpeed.High => "480",
                VirtualSpeed.Super => "5000",
                _ => "10000",
            }),
            ("version", Text($"{device.DeviceDescriptorBytes[3],2:x}.{device.DeviceDescriptorBytes[2]:x2}")),
        ];
        if (description.Manufacturer is { } manufacturer)
            Attributes.Add(("manufacturer", manufacturer.Default));
        if (description.Product is { } product)
            Attributes.Add(("product", product.Default));
        if (description.SerialNumber is { } serial)
            Attributes.Add(("serial", serial.Default));
    }

    /// <summary>The device's folder, starting with /sys.</summary>
    public string Path { get; }

    /// <summary>The device's node below /dev.</summary>
    public string Node { get; }

    public byte[] Descriptors { get; }

    public List<(string Name, string Value)> Properties { get; }

    public List<(string Name, string Value)> Attributes { get; }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
