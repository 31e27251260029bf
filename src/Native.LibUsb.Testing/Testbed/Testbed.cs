using System.Globalization;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the directory that contains the virtual /sys and /dev for programs with the preload library. The class also sends device events to these
/// programs.
/// </summary>
/// <remarks>
/// The preload library redirects the paths of USB devices in /sys and /dev to this directory. In child processes, the environment variable
/// <see cref="PreloadLibrary.Variable"/> contains the path of the directory. In this process, <see cref="PreloadLibrary.SetBus"/> sets the path.
/// </remarks>
internal sealed class Testbed : IDisposable
{
    private readonly EventSender _events;

    public Testbed()
    {
        Root = Directory.CreateTempSubdirectory("usb-bus-").FullName;
        _events = new EventSender(Root);
        Directory.CreateDirectory(Inside("/sys/bus/usb/devices"));
        Directory.CreateDirectory(Inside("/sys/class"));
        Directory.CreateDirectory(Inside("/dev/bus/usb/001")); // if the folder is empty, a libusb without udev assumes that the machine has no USB
        PreloadLibrary.SetBus(Root);
    }

    public string Root { get; }

    /// <summary>Writes a file in the virtual /sys or /dev.</summary>
    public void Write(string path, string text)
    {
        string inside = Inside(path);
        Directory.CreateDirectory(Path.GetDirectoryName(inside)!);
        File.WriteAllText(inside, text);
    }

    /// <summary>Writes the interfaces of a device's active configuration to sysfs. Each interface that has a driver gets a link to the driver.</summary>
    public void SetInterfaces(string devicePath, IReadOnlyDictionary<string, string?> driverOf)
    {
        foreach (string name in InterfacesOf(devicePath).Except(driverOf.Keys))
        {
            File.Delete(Listed(name));
            Directory.Delete(Inside($"{devicePath}/{name}"), recursive: true);
        }
        foreach ((string name, string? driver) in driverOf)
        {
            string path = $"{devicePath}/{name}", link = Inside(path + "/driver");
            if (!Directory.Exists(Inside(path)))
            {
                Directory.CreateDirectory(Inside(path));
                File.CreateSymbolicLink(Listed(name), $"../../..{path["/sys".Length..]}");
            }
            File.Delete(link);
            if (driver is not null)
                File.CreateSymbolicLink(link, $"{Up(path)}bus/usb/drivers/{driver}");
        }
    }

    /// <summary>Creates the files of a device and sends its <c>add</c> event.</summary>
    public void Add(TestbedDevice device)
    {
        string folder = Inside(device.Path), node = Inside($"/dev/{device.Node}");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(Path.GetDirectoryName(node)!);
        foreach ((string name, string value) in device.Attributes)
            File.WriteAllText(Path.Combine(folder, name), value + "\n");
        File.WriteAllBytes(Path.Combine(folder, "descriptors"), device.Descriptors);
        File.WriteAllBytes(node, device.Descriptors);
        StringBuilder properties = new();
        foreach ((string name, string value) in device.Properties)
            // in sysfs, the name of the node is relative to /dev
            properties.Append(CultureInfo.InvariantCulture, $"{name}={(name == "DEVNAME" ? device.Node : value)}\n");
        File.WriteAllText(Path.Combine(folder, "uevent"), properties.ToString());
        File.CreateSymbolicLink(Path.Combine(folder, "subsystem"), $"{Up(device.Path)}bus/usb");
        File.CreateSymbolicLink(Listed(Path.GetFileName(device.Path)), $"../../..{device.Path["/sys".Length..]}");
        _events.Send("add", device);
    }

    /// <summary>Deletes the files of a device and sends its <c>remove</c> event.</summary>
    public void Remove(TestbedDevice device)
    {
        File.Delete(Listed(Path.GetFileName(device.Path)));
        foreach (string name in InterfacesOf(device.Path))
            File.Delete(Listed(name));
        File.Delete(Inside($"/dev/{device.Node}"));
        Directory.Delete(Inside(device.Path), recursive: true); // does not follow links
        _events.Send("remove", device);
    }

    public void Dispose()
    {
        PreloadLibrary.SetBus(null);
        _events.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>Returns the relative path from a directory in /sys to /sys.</summary>
    private static string Up(string path) => string.Concat(Enumerable.Repeat("../", path.Count(c => c == '/') - 1));

    /// <summary>Returns the names of a device's interface directories. A name has the form DEVICE:CONFIGURATION.INTERFACE.</summary>
    private List<string> InterfacesOf(string devicePath) =>
        [.. Directory.GetDirectories(Inside(devicePath), $"{Path.GetFileName(devicePath)}:*").Select(one => Path.GetFileName(one))];

    private string Listed(string name) => Inside($"/sys/bus/usb/devices/{name}");

    private string Inside(string path) => Root + path;
}
