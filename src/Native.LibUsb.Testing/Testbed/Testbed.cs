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
        string up = string.Concat(Enumerable.Repeat("../", device.Path.Count(c => c == '/') - 1));
        File.CreateSymbolicLink(Path.Combine(folder, "subsystem"), $"{up}bus/usb");
        File.CreateSymbolicLink(Inside($"/sys/bus/usb/devices/{Path.GetFileName(device.Path)}"), $"../../..{device.Path["/sys".Length..]}");
        _udev.Send("add", device);
    }

    /// <summary>Removes a device and announces it.</summary>
    public void Remove(TestbedDevice device)
    {
        File.Delete(Inside($"/sys/bus/usb/devices/{Path.GetFileName(device.Path)}"));
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

    private string Inside(string path) => Root + path;
}
