namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents a USB device that the kernel itself implements. The kernel module dummy_hcd emulates both the device controller of this device and the host
/// controller that the device is attached to. The constructor creates the device through configfs and plugs it in. <see cref="Dispose"/> removes the device.
/// </summary>
internal sealed class Gadget : IDisposable
{
    public const ushort VendorId = 0x1209;
    public const ushort ProductId = 0x000a;
    public const string Serial = "gadget 1";

    private const string Controller = "dummy_udc.0";
    private const string Folder = "/sys/kernel/config/usb_gadget/tested";

    private readonly string _function;
    private readonly DeviceWatch _watch;
    private bool _isPlugged;

    /// <summary>Creates the gadget, plugs it in, and waits until libusb lists it and the kernel has configured it.</summary>
    /// <param name="context">A context that has an event thread.</param>
    /// <param name="function">The kernel's name for the function: "Loopback" or "SourceSink".</param>
    /// <param name="attributes">The attributes of the function in configfs.</param>
    public Gadget(UsbContext context, string function, ReadOnlySpan<(string Name, string Value)> attributes)
    {
        _function = $"{function}.0";
        _watch = new DeviceWatch(context, device => (device.VendorId, device.ProductId) == (VendorId, ProductId));
        try
        {
            Make(attributes);
            Bind(Controller);
            _isPlugged = true;
            Device = _watch.WaitForArrival();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Gets the device that libusb reports. The device belongs to this object.</summary>
    public UsbDevice Device { get; } = null!;

    /// <summary>Unplugs the gadget, and returns before libusb has reported that.</summary>
    public void Unplug()
    {
        if (!_isPlugged)
            return;
        _isPlugged = false;
        Bind("");
    }

    public void WaitForDeparture() => _watch.WaitForDeparture();

    public void Dispose()
    {
        bool wasPlugged = _isPlugged;
        Unplug();
        if (wasPlugged && Device is not null)
            WaitForDeparture();
        _watch.Dispose();
        Remove();
    }

    private static void Bind(string controller) => Write("UDC", controller);

    private static void Write(string attribute, string value)
    {
        using var file = new FileStream($"{Folder}/{attribute}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(value + "\n"));
    }

    private void Make(ReadOnlySpan<(string Name, string Value)> attributes)
    {
        Remove(); // an earlier program may have ended without removing the gadget
        Directory.CreateDirectory(Folder);
        Write("idVendor", $"0x{VendorId:x4}");
        Write("idProduct", $"0x{ProductId:x4}");
        Directory.CreateDirectory($"{Folder}/strings/0x409");
        Write("strings/0x409/manufacturer", "The kernel");
        Write("strings/0x409/product", _function);
        Write("strings/0x409/serialnumber", Serial);
        Directory.CreateDirectory($"{Folder}/configs/c.1");
        Directory.CreateDirectory($"{Folder}/functions/{_function}");
        foreach ((string name, string value) in attributes)
            Write($"functions/{_function}/{name}", value);
        Directory.CreateSymbolicLink($"{Folder}/configs/c.1/{_function}", $"{Folder}/functions/{_function}");
    }

    // The method removes the entries in the reverse order of their creation, because configfs refuses to delete an entry while another entry uses it.
    private static void Remove()
    {
        if (!Directory.Exists(Folder))
            return;
        if (File.ReadAllText($"{Folder}/UDC").Trim().Length > 0)
            Bind("");
        foreach (FileSystemInfo entry in new DirectoryInfo($"{Folder}/configs/c.1").EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is not null)
                File.Delete(entry.FullName);
        }

        Directory.Delete($"{Folder}/configs/c.1");
        foreach (string function in Directory.GetDirectories($"{Folder}/functions"))
            Directory.Delete(function);
        Directory.Delete($"{Folder}/strings/0x409");
        Directory.Delete(Folder);
    }
}
