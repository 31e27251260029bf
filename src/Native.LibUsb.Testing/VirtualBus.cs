using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents USB buses that exist in software only: programs that use libusb see the devices attached here as real ones.</summary>
/// <remarks>
/// Transfers come here over the USB/IP protocol, from one of two hosts (<see cref="VirtualBusOptions.Host"/>). With
/// <see cref="VirtualBusHost.Preload"/>, a library beside this assembly answers sysfs, udev and usbfs for the real libusb. The constructor loads it
/// into this process, unless the process was started with it, and child processes are started with it (<see cref="ApplyTo"/>). With <see cref="VirtualBusHost.Kernel"/> the devices are attached to
/// the kernel's own vhci_hcd, and nothing needs to be loaded.
/// One bus can exist in a process at a time. Linux only.
/// </remarks>
public sealed partial class VirtualBus : IDisposable
{
    private static int s_exists;

    private readonly Lock _lock = new();
    private readonly List<VirtualDevice> _devices = [];
    private readonly List<Connection> _connections = [];
    private readonly BusHost _host;
    private volatile bool _disposed;

    /// <summary>Makes an empty bus. Preloaded, root hubs appear with the first device of a bus number.</summary>
    /// <exception cref="PlatformNotSupportedException">What the host needs is missing, or it cannot do what the options want; the message says which.</exception>
    /// <exception cref="InvalidOperationException">Another bus exists in this process.</exception>
    public VirtualBus(VirtualBusOptions? options = null)
    {
        options ??= new VirtualBusOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.UsbfsMemoryMegabytes);
        VirtualBusHost host = options.Host != VirtualBusHost.Automatic ? options.Host : AutomaticHost;
        Options = options with { Host = host };
        if (UnavailableReasonOf(host) is { } reason)
            throw new PlatformNotSupportedException(reason);
        if (Interlocked.Exchange(ref s_exists, 1) != 0)
            throw new InvalidOperationException("A virtual bus exists in this process already: dispose it first.");
        try
        {
            _host = host == VirtualBusHost.Kernel ? new KernelHost(this) : new PreloadHost(this);
        }
        catch
        {
            Volatile.Write(ref s_exists, 0);
            throw;
        }
    }

    /// <summary>Gets whether the libusb of this very process sees a bus that is made now.</summary>
    public static bool IsAvailable => UnavailableReason is null;

    /// <summary>Gets why the libusb of this process would not see a bus whose host is chosen automatically; null when it does.</summary>
    public static string? UnavailableReason => !OperatingSystem.IsLinux() ? LinuxOnly
        : PreloadHost.UnavailableReason is not { } preload || KernelHost.UnavailableReason is not { } kernel ? null
        : $"{preload} And {char.ToLowerInvariant(kernel[0])}{kernel[1..]}";

    /// <summary>Gets why no bus can be made here at all, even for child processes; null when one can.</summary>
    public static string? ChildrenUnavailableReason => UnavailableReasonOf(AutomaticHost);

    /// <summary>Returns why no bus with such a host can be made here, even for child processes; null when one can.</summary>
    public static string? UnavailableReasonOf(VirtualBusHost host) => !OperatingSystem.IsLinux() ? LinuxOnly
        : (host == VirtualBusHost.Automatic ? AutomaticHost : host) == VirtualBusHost.Kernel ? KernelHost.UnavailableReason : PreloadHost.UnavailableReason;

    /// <summary>Gets the folder with the /sys and /dev of the bus: <c>/</c> when the kernel is the host. Do not walk it recursively: links in it form
    /// loops.</summary>
    public string RootDirectory => _host.RootDirectory;

    /// <summary>Gets the environment variables that a program needs, from its start, to see this bus.</summary>
    public IReadOnlyDictionary<string, string> Environment => _host.Environment;

    /// <summary>Gets the devices on the bus, with the root hubs that a preloaded bus makes.</summary>
    public IReadOnlyList<VirtualDevice> Devices
    {
        get
        {
            lock (_lock)
                return [.. _devices];
        }
    }

    /// <summary>Gets the options that it was made with; the host is never <see cref="VirtualBusHost.Automatic"/>.</summary>
    public VirtualBusOptions Options { get; }

    private static string LinuxOnly => "The virtual bus exists on Linux only.";

    /// <summary>Gets the host that <see cref="VirtualBusHost.Automatic"/> stands for in this process.</summary>
    public static VirtualBusHost AutomaticHost =>
        OperatingSystem.IsLinux() && !PreloadLibrary.IsLoaded && KernelHost.UnavailableReason is null ? VirtualBusHost.Kernel : VirtualBusHost.Preload;

    /// <summary>Makes a child process see this bus.</summary>
    public void ApplyTo(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
    }

    /// <summary>Gives a child process an environment without the preload library, for compilers and other programs that have
    /// nothing to do with a bus although this process is on one.</summary>
    public static void RemoveFrom(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start.Environment.Remove(PreloadLibrary.Variable);
        if (start.Environment.TryGetValue("LD_PRELOAD", out string? preload) && preload is not null)
        {
            string rest = PreloadLibrary.RemoveFrom(preload);
            if (rest.Length > 0)
                start.Environment["LD_PRELOAD"] = rest;
            else
                start.Environment.Remove("LD_PRELOAD");
        }
    }

    /// <summary>Plugs a device in: it appears in sysfs and an <c>add</c> event is sent. When this returns, the device is configured and
    /// programs can open it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="port">Where: bus, dash, ports with dots between, as in sysfs (<c>1-2.3</c>). Null for the first free port of bus 1
    /// (bus 2 for SuperSpeed). With more than one port there must be a hub at all but the last. Buses of the kernel are those of its vhci_hcd,
    /// whose hubs have no hubs behind them.</param>
    /// <exception cref="InvalidOperationException">The device is attached, or the port is taken, or there is no hub at its parent.</exception>
    /// <exception cref="PlatformNotSupportedException">The kernel has no such port, or none for devices of such a speed.</exception>
    /// <exception cref="TimeoutException">The kernel did not take the device: its log says why.</exception>
    public void Attach(VirtualDevice device, string? port = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (device.IsAttached)
                throw new InvalidOperationException($"The device is attached already, as {device.PortPath}.");
            _host.Plug(device, port);
        }
        device.OnAttached();
    }

    /// <summary>Pulls a device's plug: its transfers end, its nodes report it, sysfs forgets it, and a <c>remove</c> event is sent.
    /// Devices on a hub are detached first. Does nothing when the device is not on this bus.</summary>
    public void Detach(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        List<VirtualDevice> gone;
        lock (_lock)
        {
            if (device.Bus != this)
                return;
            gone = Unplug(device);
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

    /// <summary>Detaches all devices, ends all connections and removes what was made for the bus.</summary>
    public void Dispose()
    {
        List<VirtualDevice> gone;
        List<Connection> connections;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            // devices on a hub before the hub; devices before their root hubs
            gone = [.. _devices.OrderBy(d => d.PortPath!.StartsWith("usb", StringComparison.Ordinal)).ThenByDescending(d => d.PortPath!.Length)];
            connections = [.. _connections];
        }
        try
        {
            lock (_lock)
                _host.Unplug(gone);
        }
        finally
        {
            foreach (VirtualDevice device in gone)
                device.OnDetached();
            _host.StopAccepting();
            foreach (Connection connection in connections)
                connection.Shutdown();
            foreach (Connection connection in connections)
                if (connection.Thread != Thread.CurrentThread)
                    connection.Thread.Join();
            _host.Dispose();
            Volatile.Write(ref s_exists, 0);
        }
    }

    /// <summary>Replaces a device by another one at the same port; only detaches the first one when the other one is on a bus. Takes the lock.</summary>
    internal void Replace(VirtualDevice device, VirtualDevice successor)
    {
        List<VirtualDevice> gone;
        bool isReplaced;
        lock (_lock)
        {
            if (device.Bus != this)
                return;
            string port = device.PortPath!;
            gone = Unplug(device);
            isReplaced = !_disposed && successor.Bus is null;
            if (isReplaced)
                _host.Plug(successor, port);
        }
        foreach (VirtualDevice one in gone)
            one.OnDetached();
        if (isReplaced)
            successor.OnAttached();
    }

    internal bool HidesResets => _host.HidesResets;

    /// <summary>Gets the device at a port; null when there is none. The lock is held.</summary>
    internal VirtualDevice? FindAt(string port) => _devices.Find(d => d.PortPath == port);

    /// <summary>Adds a device to the bus. The lock is held.</summary>
    internal void Add(VirtualDevice device, byte configuration, int bus, int number, string port)
    {
        device.Faults?.CheckHost(Options.Host);
        lock (device.SyncRoot)
        {
            device.SelectConfiguration(configuration);
            device.BusNumber = bus;
            device.DeviceNumber = number;
            device.PortPath = port;
            device.Bus = this;
            device.IsAttached = true;
        }
        _devices.Add(device);
    }

    /// <summary>Removes a device from the bus: its URBs go back, and its connections end. The lock is held.</summary>
    internal void Remove(VirtualDevice device)
    {
        _devices.Remove(device);
        lock (device.SyncRoot)
        {
            device.IsAttached = false;
            device.Disconnect();
            device.Bus = null;
            device.PortPath = null;
            device.BusNumber = device.DeviceNumber = 0;
        }
    }

    internal void ConfigurationChanged(VirtualDevice device)
    {
        if (device.IsAttached)
            _host.ConfigurationChanged(device);
    }

    internal void SettingChanged(VirtualDevice device, byte interfaceNumber)
    {
        if (device.IsAttached)
            _host.SettingChanged(device, interfaceNumber);
    }

    internal void DriversChanged(VirtualDevice device)
    {
        if (device.IsAttached)
            _host.DriversChanged(device);
    }

    /// <summary>Takes a device off the bus, after those that hang on it. The lock is held.</summary>
    private List<VirtualDevice> Unplug(VirtualDevice device)
    {
        string path = device.PortPath!;
        List<VirtualDevice> gone =
            [.. _devices.Where(d => d == device || d.PortPath!.StartsWith(path + ".", StringComparison.Ordinal)).OrderByDescending(d => d.PortPath!.Length)];
        _host.Unplug(gone);
        return gone;
    }

    /// <summary>Serves a connected socket, whose first request names the device.</summary>
    internal void Serve(int descriptor)
    {
        lock (_lock)
        {
            if (_disposed)
                _ = Libc.Close(descriptor);
            else
                Serve(descriptor, null);
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
