using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the host that the preload library implements. The library redirects a program's accesses to /sys and /dev to the directory of the testbed, and
/// answers the program's udev and usbfs calls. It sends each transfer to the bus through a socket in that directory.
/// </summary>
internal sealed class PreloadHost : BusHost
{
    private readonly Dictionary<int, VirtualHub> _rootHubs = [];
    private readonly Dictionary<int, int> _lastNumber = [];
    private readonly Testbed _testbed;
    private readonly Socket _listener;
    private readonly Thread _accepter;
    private volatile bool _stopped;

    public PreloadHost(VirtualBus bus)
        : base(bus)
    {
        if (!bus.Options.ForChildProcesses)
            PreloadLibrary.Load();
        _testbed = new Testbed();
        try
        {
            _testbed.Write("/sys/module/usbcore/parameters/usbfs_memory_mb", bus.Options.UsbfsMemoryMegabytes.ToString(CultureInfo.InvariantCulture) + "\n");
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(RootDirectory, "usbip")));
            _listener.Listen(64);
        }
        catch
        {
            _listener?.Dispose();
            _testbed.Dispose();
            throw;
        }
        _accepter = new Thread(Accept, 256 * 1024) { IsBackground = true, Name = "usb-accept" };
        _accepter.Start();
    }

    /// <summary>Gets the reason why programs cannot use this host on this system. Null if they can.</summary>
    public static string? UnavailableReason => PreloadLibrary.MissingReason;

    public override string RootDirectory => _testbed.Root;

    public override IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = PreloadLibrary.Path,
        [PreloadLibrary.Variable] = RootDirectory,
    };

    public override void Plug(VirtualDevice device, string? port)
    {
        port ??= FreePort(device.Description.Speed);
        UsbPort place = UsbPort.Parse(port);
        if (Bus.FindAt(port) is not null)
            throw new InvalidOperationException($"Port {port} is taken.");
        if (!_rootHubs.TryGetValue(place.Bus, out VirtualHub? root))
        {
            root = VirtualHub.Root(device.Description.Speed >= VirtualSpeed.Super ? VirtualSpeed.Super : VirtualSpeed.High);
            _rootHubs[place.Bus] = root;
            Show(root, place.Bus, $"usb{place.Bus}");
        }
        if (place.Parent is { } parent && Bus.FindAt(parent) is not VirtualHub)
            throw new InvalidOperationException($"There is no hub at {parent}: attach a {nameof(VirtualHub)} there first.");
        Show(device, place.Bus, port);
    }

    public override void Unplug(IReadOnlyList<VirtualDevice> devices)
    {
        foreach (VirtualDevice device in devices)
        {
            TestbedDevice sysfs = device.Sysfs!;
            Bus.Remove(device);
            if (device is VirtualHub hub)
                foreach (int bus in _rootHubs.Where(r => r.Value == hub).Select(r => r.Key).ToArray())
                    _rootHubs.Remove(bus);
            _testbed.Remove(sysfs);
        }
    }

    public override void ConfigurationChanged(VirtualDevice device) =>
        _testbed.Write(SystemPath(device) + "/bConfigurationValue", device.Configuration == 0 ? "" : $"{device.Configuration}\n");

    /// <summary>Writes the driver and the alternate setting of each interface of the active configuration to sysfs.</summary>
    public override void DriversChanged(VirtualDevice device)
    {
        IReadOnlyList<InterfaceDescription> interfaces = device.ActiveConfiguration?.Interfaces ?? [];
        _testbed.SetInterfaces(SystemPath(device), interfaces.ToDictionary(one => InterfaceName(device, one.Number), one => device.Host.DriverOf(one.Number)));
        foreach (InterfaceDescription one in interfaces)
            SettingChanged(device, one.Number);
    }

    public override void SettingChanged(VirtualDevice device, byte interfaceNumber) => _testbed.Write(
        $"{SystemPath(device)}/{InterfaceName(device, interfaceNumber)}/bAlternateSetting",
        string.Create(CultureInfo.InvariantCulture, $"{device.AlternateOf(interfaceNumber),2}\n"));

    public override void StopAccepting()
    {
        _stopped = true;
        _ = Libc.Shutdown((int)_listener.SafeHandle.DangerousGetHandle(), Libc.ShutdownBoth); // wakes the accepting thread
        _accepter.Join();
        _listener.Dispose();
    }

    public override void Dispose() => _testbed.Dispose();

    private static string InterfaceName(VirtualDevice device, byte number) => $"{device.PortPath}:{device.Configuration}.{number}";

    private static string SystemPath(VirtualDevice device) => SystemPath(device.BusNumber, device.PortPath!);

    /// <summary>Returns a device's directory in /sys. As in the kernel, the directory of a hub contains the directories of the devices behind the
    /// hub.</summary>
    private static string SystemPath(int bus, string port)
    {
        StringBuilder path = new($"/sys/devices/platform/native_libusb/usb{bus}");
        if (port.StartsWith("usb", StringComparison.Ordinal))
            return path.ToString();
        for (int end = port.IndexOf('.', StringComparison.Ordinal); end >= 0; end = port.IndexOf('.', end + 1))
            path.Append('/').Append(port, 0, end);
        return path.Append('/').Append(port).ToString();
    }

    private string FreePort(VirtualSpeed speed)
    {
        int bus = speed >= VirtualSpeed.Super ? 2 : 1;
        for (int port = 1; ; port++)
            if (Bus.FindAt($"{bus}-{port}") is null)
                return $"{bus}-{port}";
    }

    /// <summary>
    /// Returns the number for a new device. As in the kernel, this is the next free number after the number of the device that was added last. After 127,
    /// the search continues at 1.
    /// </summary>
    private int FreeNumber(int bus)
    {
        const int most = 127;
        HashSet<int> taken = [.. Bus.Devices.Where(device => device.BusNumber == bus).Select(device => device.DeviceNumber)];
        int last = _lastNumber.GetValueOrDefault(bus);
        for (int i = 0; i < most; i++)
        {
            int number = ((last + i) % most) + 1;
            if (taken.Contains(number))
                continue;
            _lastNumber[bus] = number;
            return number;
        }

        throw new InvalidOperationException($"Bus {bus} has {most} devices, which is the maximum: attach the device to a port of another bus.");
    }

    private void Show(VirtualDevice device, int bus, string port)
    {
        int number = FreeNumber(bus);
        // A new device is configured immediately: like the kernel, the host selects the first configuration.
        Bus.Add(device, device.Description.Configurations[0].Value, bus, number, port);
        device.Sysfs = new TestbedDevice(device, SystemPath(bus, port));
        _testbed.Add(device.Sysfs);
        lock (device.SyncRoot)
            DriversChanged(device);
    }

    private unsafe void Accept()
    {
        // The code calls libc's accept, because the connection must own its file descriptor, and a .NET socket does not give up the ownership of its
        // descriptor.
        int listener = (int)_listener.SafeHandle.DangerousGetHandle();
        while (true)
        {
            int descriptor = Libc.Accept(listener, null, null, Libc.CloseOnExec);
            if (descriptor >= 0)
            {
                int size = 4 << 20;
                _ = Libc.SetOption(descriptor, Libc.SocketLevel, Libc.SendBuffer, &size, sizeof(int));
                Bus.Serve(descriptor);
            }
            else if (_stopped)
            {
                return;
            }

            // Otherwise accept was interrupted, or the peer closed the connection before it was accepted.
        }
    }
}
