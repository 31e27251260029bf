using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>USB buses that exist in software only: programs that use libusb see the devices attached here as real ones.</summary>
/// <remarks>
/// umockdev gives those programs a /sys, a /dev and udev events; a preload library beside this assembly answers usbfs for the real
/// libusb and brings each transfer here over the USB/IP protocol. Both must be loaded when a program starts: into a child with
/// <see cref="ApplyTo"/>, into the process itself by whoever starts it (see <see cref="UnavailableReason"/>).
/// One bus can exist in a process at a time. Linux only.
/// </remarks>
public sealed partial class VirtualBus : IDisposable
{
    private static int s_exists;

    private readonly Lock _lock = new();
    private readonly List<VirtualDevice> _devices = [];
    private readonly List<Connection> _connections = [];
    private readonly Dictionary<int, VirtualHub> _rootHubs = [];
    private readonly Dictionary<int, int> _nextNumber = [];
    private readonly Socket _listener;
    private readonly Thread _accepter;
    private readonly Testbed _testbed;
    private volatile bool _disposed;

    /// <summary>Makes an empty bus. Root hubs appear with the first device of a bus number.</summary>
    /// <exception cref="PlatformNotSupportedException">umockdev or the preload library is missing; the message says which.</exception>
    /// <exception cref="InvalidOperationException">Another bus exists in this process.</exception>
    public VirtualBus(VirtualBusOptions? options = null)
    {
        Options = options ?? new VirtualBusOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(Options.UsbfsMemoryMegabytes);
        if (ChildrenUnavailableReason is { } reason)
            throw new PlatformNotSupportedException(reason);
        if (Interlocked.Exchange(ref s_exists, 1) != 0)
            throw new InvalidOperationException("A virtual bus exists in this process already: dispose it first.");
        try
        {
            _testbed = new Testbed();
            RootDirectory = _testbed.Root;
            _testbed.Write("/sys/module/usbcore/parameters/usbfs_memory_mb", Options.UsbfsMemoryMegabytes.ToString(CultureInfo.InvariantCulture) + "\n");
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(RootDirectory, "usbip")));
            _listener.Listen(64);
        }
        catch
        {
            _listener?.Dispose();
            _testbed?.Dispose();
            Volatile.Write(ref s_exists, 0);
            throw;
        }
        _accepter = new Thread(Accept, 256 * 1024) { IsBackground = true, Name = "usb-accept" };
        _accepter.Start();
    }

    /// <summary>Whether the libusb of this very process sees a bus that is made now.</summary>
    public static bool IsAvailable => UnavailableReason is null;

    /// <summary>Why the libusb of this process would not see a bus; null when it does.</summary>
    public static string? UnavailableReason
    {
        get
        {
            if (ChildrenUnavailableReason is { } reason)
                return reason;
            return PreloadLibraries.AreLoaded ? null : $"This process was not started with LD_PRELOAD={PreloadLibraries.All} (and DOTNET_EnableDiagnostics=0).";
        }
    }

    /// <summary>Why no bus can be made here at all, even for child processes; null when one can.</summary>
    public static string? ChildrenUnavailableReason
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return "The virtual bus exists on Linux only.";
            return PreloadLibraries.MissingReason;
        }
    }

    /// <summary>The folder with the virtual /sys and /dev. Do not walk it recursively: links in it form loops.</summary>
    public string RootDirectory { get; }

    /// <summary>What a program needs in its environment, from its start, to see this bus.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = PreloadLibraries.All,
        ["UMOCKDEV_DIR"] = RootDirectory,
        // under umockdev's preload the debugger transport of .NET blocks at start
        ["DOTNET_EnableDiagnostics"] = "0",
    };

    /// <summary>The devices on the bus, root hubs included.</summary>
    public IReadOnlyList<VirtualDevice> Devices
    {
        get
        {
            lock (_lock)
                return [.. _devices];
        }
    }

    internal VirtualBusOptions Options { get; }

    /// <summary>Makes a child process see this bus.</summary>
    public void ApplyTo(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
    }

    /// <summary>Gives a child process an environment without the preload libraries, for compilers and other programs that have
    /// nothing to do with a bus although this process is on one.</summary>
    public static void RemoveFrom(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start.Environment.Remove("UMOCKDEV_DIR");
        start.Environment.Remove("DOTNET_EnableDiagnostics");
        if (start.Environment.TryGetValue("LD_PRELOAD", out string? preload) && preload is not null)
        {
            string rest = PreloadLibraries.RemoveFrom(preload);
            if (rest.Length > 0)
                start.Environment["LD_PRELOAD"] = rest;
            else
                start.Environment.Remove("LD_PRELOAD");
        }
    }

    /// <summary>Plugs a device in: it appears in sysfs and an <c>add</c> event is sent.</summary>
    /// <param name="device">The device.</param>
    /// <param name="port">Where: bus, dash, ports with dots between, as in sysfs (<c>1-2.3</c>). Null for the first free port of bus 1
    /// (bus 2 for SuperSpeed). With more than one port there must be a hub at all but the last.</param>
    /// <exception cref="InvalidOperationException">The device is attached, or the port is taken, or there is no hub at its parent.</exception>
    public void Attach(VirtualDevice device, string? port = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (device.IsAttached)
                throw new InvalidOperationException($"The device is attached already, as {device.PortPath}.");
            port ??= FreePort(device.Description.Speed);
            (int bus, string? parent) = ParsePort(port);
            if (_devices.Exists(d => d.PortPath == port))
                throw new InvalidOperationException($"Port {port} is taken.");
            if (!_rootHubs.TryGetValue(bus, out VirtualHub? root))
            {
                root = VirtualHub.Root(device.Description.Speed >= VirtualSpeed.Super ? VirtualSpeed.Super : VirtualSpeed.High);
                _rootHubs[bus] = root;
                Plug(root, bus, $"usb{bus}");
            }
            if (parent is not null && !_devices.Exists(d => d.PortPath == parent && d is VirtualHub))
                throw new InvalidOperationException($"There is no hub at {parent}: attach a {nameof(VirtualHub)} there first.");
            Plug(device, bus, port);
        }
        device.OnAttached();
    }

    /// <summary>Pulls a device's plug: its transfers end, its nodes report it, sysfs forgets it, and a <c>remove</c> event is sent.
    /// What hangs on a hub goes first. Does nothing when the device is not on this bus.</summary>
    public void Detach(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        List<VirtualDevice> gone = [];
        lock (_lock)
        {
            if (device.Bus != this)
                return;
            string path = device.PortPath!;
            gone.AddRange(_devices.Where(d => d == device || d.PortPath!.StartsWith(path + ".", StringComparison.Ordinal)).OrderByDescending(d => d.PortPath!.Length));
            foreach (VirtualDevice one in gone)
                Unplug(one);
        }
        foreach (VirtualDevice one in gone)
            one.OnDetached();
    }

    /// <summary>Makes a connected socket at which a device is served, for a USB/IP host that is past the import, such as the kernel's
    /// vhci_hcd. The caller owns the returned descriptor.</summary>
    /// <exception cref="InvalidOperationException">The device is not attached.</exception>
    public unsafe int OpenConnection(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        int* pair = stackalloc int[2];
        const int unix = 1, streamAndCloseOnExec = 1 | 0x80000;
        if (Libc.SocketPair(unix, streamAndCloseOnExec, 0, pair) != 0)
            throw new InvalidOperationException($"socketpair failed with error {Marshal.GetLastPInvokeError()}.");
        lock (_lock)
        {
            if (device.Bus != this)
                throw new InvalidOperationException("The device is not attached to this bus.");
            Serve(pair[0], device);
        }
        return pair[1];
    }

    /// <summary>Detaches all devices, ends all connections and removes the folder.</summary>
    public void Dispose()
    {
        List<VirtualDevice> gone;
        List<Connection> connections;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            // what hangs on a hub before the hub; devices before their root hubs
            gone = [.. _devices.OrderBy(d => d.PortPath!.StartsWith("usb", StringComparison.Ordinal)).ThenByDescending(d => d.PortPath!.Length)];
            foreach (VirtualDevice device in gone)
                Unplug(device);
            connections = [.. _connections];
        }
        foreach (VirtualDevice device in gone)
            device.OnDetached();
        _ = Libc.Shutdown((int)_listener.SafeHandle.DangerousGetHandle(), Libc.ShutdownBoth); // wakes the accepting thread
        _accepter.Join();
        _listener.Dispose();
        foreach (Connection connection in connections)
            connection.Shutdown();
        foreach (Connection connection in connections)
            if (connection.Thread != Thread.CurrentThread)
                connection.Thread.Join();
        _testbed.Dispose();
        Volatile.Write(ref s_exists, 0);
    }

    internal static string SystemPathOf(VirtualDevice device) => SystemPath(device.BusNumber, device.PortPath!);

    internal void ConfigurationChanged(VirtualDevice device)
    {
        if (device.IsAttached)
            _testbed.Write(SystemPathOf(device) + "/bConfigurationValue", device.Configuration == 0 ? "" : $"{device.Configuration}\n");
    }

    /// <summary>Shows in sysfs which driver each interface of the active configuration has.</summary>
    internal void DriversChanged(VirtualDevice device)
    {
        if (!device.IsAttached)
            return;
        _testbed.SetInterfaces(SystemPathOf(device), (device.ActiveConfiguration?.Interfaces ?? []).ToDictionary(
            one => $"{device.PortPath}:{device.Configuration}.{one.Number}", one => device.Host.DriverOf(one.Number)));
    }

    /// <summary>The folder of a device in /sys: hubs on the way are folders around it.</summary>
    private static string SystemPath(int bus, string port)
    {
        StringBuilder path = new($"/sys/devices/pci0000:00/0000:00:{bus:x2}.0/usb{bus}");
        if (port.StartsWith("usb", StringComparison.Ordinal))
            return path.ToString();
        for (int end = port.IndexOf('.', StringComparison.Ordinal); end >= 0; end = port.IndexOf('.', end + 1))
            path.Append('/').Append(port, 0, end);
        return path.Append('/').Append(port).ToString();
    }

    private static (int Bus, string? Parent) ParsePort(string port)
    {
        string[] halves = port.Split('-');
        if (halves.Length == 2 && int.TryParse(halves[0], NumberStyles.None, CultureInfo.InvariantCulture, out int bus) && bus is >= 1 and <= 127)
        {
            string[] ports = halves[1].Split('.');
            if (ports.Length <= 6 && ports.All(p => byte.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out byte number) && number >= 1))
                return (bus, ports.Length == 1 ? null : port[..port.LastIndexOf('.')]);
        }
        throw new ArgumentException($"'{port}' is not a port such as 1-2 or 1-2.3 (at most six ports).", nameof(port));
    }

    private string FreePort(VirtualSpeed speed)
    {
        int bus = speed >= VirtualSpeed.Super ? 2 : 1;
        for (int port = 1; ; port++)
            if (!_devices.Exists(d => d.PortPath == $"{bus}-{port}"))
                return $"{bus}-{port}";
    }

    private void Plug(VirtualDevice device, int bus, string port)
    {
        int number = _nextNumber.GetValueOrDefault(bus, 1);
        if (number > 127)
            number = Enumerable.Range(1, 127).First(n => !_devices.Exists(d => d.BusNumber == bus && d.DeviceNumber == n));
        _nextNumber[bus] = number + 1;
        lock (device.SyncRoot)
        {
            // a device comes up configured: the kernel chooses the first configuration
            device.SelectConfiguration(device.Description.Configurations[0].Value);
            device.BusNumber = bus;
            device.DeviceNumber = number;
            device.PortPath = port;
            device.Bus = this;
            device.IsAttached = true;
        }
        _devices.Add(device);
        device.Sysfs = new TestbedDevice(device, SystemPath(bus, port));
        _testbed.Add(device.Sysfs);
        lock (device.SyncRoot)
            DriversChanged(device);
    }

    private void Unplug(VirtualDevice device)
    {
        TestbedDevice sysfs = device.Sysfs!;
        _devices.Remove(device);
        lock (device.SyncRoot)
        {
            device.IsAttached = false;
            device.Disconnect();
            device.Bus = null;
            device.PortPath = null;
            device.BusNumber = device.DeviceNumber = 0;
        }
        if (device is VirtualHub hub)
            foreach (int bus in _rootHubs.Where(r => r.Value == hub).Select(r => r.Key).ToArray())
                _rootHubs.Remove(bus);
        _testbed.Remove(sysfs);
    }

    private unsafe void Accept()
    {
        // libc's accept: the connection needs the bare descriptor, which a .NET socket does not give away
        int listener = (int)_listener.SafeHandle.DangerousGetHandle();
        while (true)
        {
            int descriptor = Libc.Accept(listener, null, null, Libc.CloseOnExec);
            if (descriptor < 0)
            {
                if (_disposed)
                    return;
                continue; // interrupted, or the peer went away before we got to it
            }
            int size = 4 << 20;
            _ = Libc.SetOption(descriptor, Libc.SocketLevel, Libc.SendBuffer, &size, sizeof(int));
            lock (_lock)
            {
                if (_disposed)
                    _ = Libc.Close(descriptor);
                else
                    Serve(descriptor, null);
            }
        }
    }

    private void Serve(int descriptor, VirtualDevice? device)
    {
        _connections.RemoveAll(c => c.Thread.ThreadState.HasFlag(System.Threading.ThreadState.Stopped));
        Connection connection = new(descriptor, Resolve, () => Devices, device);
        _connections.Add(connection);
        connection.Thread.Start();
    }

    /// <summary>Finds the device of an import request, by node (<c>001/002</c>) or by name (<c>1-1</c>), and connects it.</summary>
    private (VirtualDevice? Device, int Error) Resolve(Connection connection, string name, int accessMode)
    {
        const int noEntry = 2, accessDenied = 13, noDevice = 19, readOnly = 0;
        VirtualDevice? device;
        lock (_lock)
            device = _devices.Find(d => name == $"{d.BusNumber:d3}/{d.DeviceNumber:d3}" || name == d.PortPath);
        if (device is null)
            return (null, noEntry);
        lock (device.SyncRoot)
        {
            if (!device.IsAttached)
                return (null, noDevice);
            if (accessMode != readOnly && !device.AdmitWriter())
                return (null, accessDenied);
            device.Connected(connection);
            return (device, 0);
        }
    }
}
