using System.Buffers.Binary;
using System.Globalization;

namespace Native.LibUsb.Testing;

/// <summary>Represents the attributes and properties of a USB device in sysfs and udev.</summary>
internal sealed class TestbedDevice
{
    public TestbedDevice(VirtualDevice device, string path)
    {
        ReadOnlySpan<byte> descriptor = device.DeviceDescriptorBytes;
        int vendor = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[8..]), product = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[10..]);
        int release = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]);
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
            ("PRODUCT", Text($"{vendor:x}/{product:x}/{release:x}")),
            ("TYPE", Text($"{descriptor[4]}/{descriptor[5]}/{descriptor[6]}")),
        ];
        Attributes =
        [
            ("bConfigurationValue", Text($"{device.Configuration}")),
            ("bDeviceClass", Text($"{descriptor[4]:x2}")),
            ("bDeviceSubClass", Text($"{descriptor[5]:x2}")),
            ("bDeviceProtocol", Text($"{descriptor[6]:x2}")),
            ("bNumConfigurations", Text($"{descriptor[17]}")),
            ("bNumInterfaces", Text($"{device.Description.Configurations[0].Interfaces.Count,2}")),
            ("bMaxPacketSize0", Text($"{device.Description.ControlPacket}")),
            ("bmAttributes", Text($"{(device.FirstConfigurationBytes is { Length: > 7 } configuration ? configuration[7] : 0):x2}")),
            ("bcdDevice", Text($"{release:x4}")),
            ("busnum", Text($"{device.BusNumber}")),
            ("dev", Text($"189:{((device.BusNumber - 1) * 128) + device.DeviceNumber - 1}")),
            ("devnum", Text($"{device.DeviceNumber}")),
            ("devpath", port.Contains('-', StringComparison.Ordinal) ? port[(port.IndexOf('-', StringComparison.Ordinal) + 1)..] : "0"),
            ("idVendor", Text($"{vendor:x4}")),
            ("idProduct", Text($"{product:x4}")),
            ("maxchild", device is VirtualHub hub ? Text($"{hub.Ports}") : "0"),
            ("speed", device.Description.Speed switch
            {
                VirtualSpeed.Low => "1.5",
                VirtualSpeed.Full => "12",
                VirtualSpeed.High => "480",
                VirtualSpeed.Super => "5000",
                _ => "10000",
            }),
            ("version", Text($"{descriptor[3],2:x}.{descriptor[2]:x2}")),
        ];
        foreach ((string name, int place) in (ReadOnlySpan<(string, int)>)[("manufacturer", 14), ("product", 15), ("serial", 16)])
            if (device.SystemText(descriptor[place]) is { } text)
                Attributes.Add((name, text));
    }

    /// <summary>Gets the path of the device's directory, which starts with /sys.</summary>
    public string Path { get; }

    /// <summary>Gets the path of the device's node, relative to /dev.</summary>
    public string Node { get; }

    public byte[] Descriptors { get; }

    public List<(string Name, string Value)> Properties { get; }

    public List<(string Name, string Value)> Attributes { get; }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
