using System.Globalization;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>A folder with the /sys and /dev that programs under umockdev's preload see, and the udev events they get.</summary>
/// <remarks>
/// Only the preload of umockdev is needed, not its library: the layout of the folder is all that they share, and written from here
/// it works the same whether this process is under the preload or not. The folder is named by UMOCKDEV_DIR.
/// </remarks>
internal sealed class Testbed : IDisposable
{
    private const string Variable = "UMOCKDEV_DIR";

    private readonly UdevSender _udev;

    public Testbed()
    {
        Root = Directory.CreateTempSubdirectory("usb-bus-").FullName;
        _udev = new UdevSender(Root);
        Directory.CreateDirectory(Inside("/sys/bus/usb/devices"));
        Directory.CreateDirectory(Inside("/sys/class"));
        Directory.CreateDirectory(Inside("/dev/bus/usb"));
        // the C environment of this process: the preload and libusb read it with getenv, which .NET's own copy does not reach
        if (Libc.SetEnvironment(Variable, Root, 1) != 0)
            throw new InvalidOperationException($"{Variable} cannot be set.");
    }

    public string Root { get; }

    /// <summary>Writes a file of the virtual system.</summary>
    public void Write(string path, string text)
    {
        string inside = Inside(path);
        Directory.CreateDirectory(Path.GetDirectoryName(inside)!);
        File.WriteAllText(inside, text);
    }

    /// <summary>Shows the interfaces of a device's active configuration, each with a link to its driver when it has one.</summary>
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

    /// <summary>Makes a device and announces it.</summary>
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
            // in sysfs the node is named below /dev
            properties.Append(CultureInfo.InvariantCulture, $"{name}={(name == "DEVNAME" ? device.Node : value)}\n");
        File.WriteAllText(Path.Combine(folder, "uevent"), properties.ToString());
        File.CreateSymbolicLink(Path.Combine(folder, "subsystem"), $"{Up(device.Path)}bus/usb");
        File.CreateSymbolicLink(Listed(Path.GetFileName(device.Path)), $"../../..{device.Path["/sys".Length..]}");
        _udev.Send("add", device);
    }

    /// <summary>Removes a device and announces it.</summary>
    public void Remove(TestbedDevice device)
    {
        File.Delete(Listed(Path.GetFileName(device.Path)));
        foreach (string name in InterfacesOf(device.Path))
            File.Delete(Listed(name));
        File.Delete(Inside($"/dev/{device.Node}"));
        Directory.Delete(Inside(device.Path), recursive: true); // does not follow links
        _udev.Send("remove", device);
    }

    public void Dispose()
    {
        unsafe
        {
            // another testbed may have been made meanwhile by somebody else
            byte* current = Libc.GetEnvironment(Variable);
            if (current is not null && System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)current) == Root)
                _ = Libc.UnsetEnvironment(Variable);
        }
        _udev.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>From a folder of /sys to /sys.</summary>
    private static string Up(string path) => string.Concat(Enumerable.Repeat("../", path.Count(c => c == '/') - 1));

    /// <summary>The names of the interface folders of a device: its own name, a colon, configuration and interface.</summary>
    private List<string> InterfacesOf(string devicePath) =>
        [.. Directory.GetDirectories(Inside(devicePath), $"{Path.GetFileName(devicePath)}:*").Select(one => Path.GetFileName(one))];

    private string Listed(string name) => Inside($"/sys/bus/usb/devices/{name}");

    private string Inside(string path) => Root + path;
}
