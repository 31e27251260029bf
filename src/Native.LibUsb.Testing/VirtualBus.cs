using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents USB buses that exist only in software. Programs that use libusb find the devices on these buses in the same way as they find physical
/// devices.</summary>
/// <remarks>
/// <para>A host passes the programs' transfers to the bus over the USB/IP protocol. There are two hosts (<see cref="VirtualBusOptions.Host"/>).</para>
/// <para>With <see cref="VirtualBusHost.Preload"/>, a library beside this assembly replaces the sysfs, udev and usbfs that libusb uses. The constructor loads
/// this library into the process unless it is already loaded. <see cref="ApplyTo"/> sets up child processes to start with this library.</para>
/// <para>With <see cref="VirtualBusHost.Kernel"/>, the devices are attached to the kernel's own vhci_hcd. No library is loaded.</para>
/// <para>Only one bus can exist in a process at a time. The class is available only on Linux.</para>
/// </remarks>
public sealed partial class VirtualBus : IDisposable
{
    private static int s_exists;

    private readonly Lock _lock = new();
    private readonly List<VirtualDevice> _devices = [];
    private readonly List<Connection> _connections = [];
    private readonly BusHost _host;
    private volatile bool _disposed;

    /// <summary>Initializes a new instance of the <see cref="VirtualBus"/> class. The new bus has no devices. With <see cref="VirtualBusHost.Preload"/>, all
    /// devices with the same bus number share a root hub. The bus adds this hub when you attach the first of these devices.</summary>
    /// <exception cref="PlatformNotSupportedException">The host is not available, or does not support the options. The message gives the reason.</exception>
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

    /// <summary>Gets whether libusb in this process would find the devices of a bus that is created now.</summary>
    public static bool IsAvailable => UnavailableReason is null;

    /// <summary>
    /// Gets the reason why libusb in this process cannot find the devices of a bus. The property assumes that the host is
    /// <see cref="VirtualBusHost.Automatic"/>. If libusb can find the devices, the value is null.
    /// </summary>
    public static string? UnavailableReason => !OperatingSystem.IsLinux() ? LinuxOnly
        : PreloadHost.UnavailableReason is not { } preload || KernelHost.UnavailableReason is not { } kernel ? null
        : $"{preload} And {char.ToLowerInvariant(kernel[0])}{kernel[1..]}";

    /// <summary>Gets the reason why neither this process nor its child processes can use a bus on this system. If one of them can use a bus, the value is
    /// null.</summary>
    public static string? ChildrenUnavailableReason => UnavailableReasonOf(AutomaticHost);

    /// <summary>Returns the reason why this host is not available to this process and its child processes. If the host is available, returns null.</summary>
    public static string? UnavailableReasonOf(VirtualBusHost host) => !OperatingSystem.IsLinux() ? LinuxOnly
        : (host == VirtualBusHost.Automatic ? AutomaticHost : host) == VirtualBusHost.Kernel ? KernelHost.UnavailableReason : PreloadHost.UnavailableReason;

    /// <summary>
    /// Gets the directory that contains the bus's /sys and /dev. It is <c>/</c> if the kernel is the host. Do not search this directory recursively, because
    /// it contains symbolic links that form loops.
    /// </summary>
    public string RootDirectory => _host.RootDirectory;

    /// <summary>Gets the environment variables with which a program must be started to use this bus.</summary>
    public IReadOnlyDictionary<string, string> Environment => _host.Environment;

    /// <summary>Gets the devices on the bus. They include the root hubs that the preload host creates.</summary>
    public IReadOnlyList<VirtualDevice> Devices
    {
        get
        {
            lock (_lock)
                return [.. _devices];
        }
    }

    /// <summary>Gets the options of the bus. Their host is never <see cref="VirtualBusHost.Automatic"/>.</summary>
    public VirtualBusOptions Options { get; }

    private static string LinuxOnly => "The virtual bus exists on Linux only.";

    /// <summary>Gets the host that <see cref="VirtualBusHost.Automatic"/> selects in this process.</summary>
    public static VirtualBusHost AutomaticHost =>
        OperatingSystem.IsLinux() && !PreloadLibrary.IsLoaded && KernelHost.UnavailableReason is null ? VirtualBusHost.Kernel : VirtualBusHost.Preload;

    /// <summary>Adds the environment variables of this bus to a child process.</summary>
    public void ApplyTo(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
    }

    /// <summary>
    /// Removes the preload library from the environment of a child process. If this process was started with the library, use the method for child processes
    /// that do not use USB, such as compilers.
    /// </summary>
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

    /// <summary>Plugs in a device: adds it to sysfs and sends an <c>add</c> event. When the method returns, the device is configured and programs can open
    /// it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="port">The port in the notation of sysfs: the bus number, a dash, and port numbers with dots between them (<c>1-2.3</c>). Null for the
    /// first free port of bus 1 (bus 2 for SuperSpeed). If there are several port numbers, a hub must be attached at every port except the last. With the
    /// kernel as the host, the port must be a root port of vhci_hcd, because vhci_hcd supports no further hubs.</param>
    /// <exception cref="InvalidOperationException">The device is already attached, the port is taken, or there is no hub at the parent port.</exception>
    /// <exception cref="PlatformNotSupportedException">The kernel does not have this port, or has no port for devices of this speed.</exception>
    /// <exception cref="TimeoutException">The kernel did not accept the device. The kernel log contains the reason.</exception>
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

    /// <summary>Unplugs a device: its transfers end, open device nodes report the removal, and the device disappears from sysfs. A <c>remove</c> event is
    /// sent. Devices behind a hub are detached before the hub. The method does nothing if the device is not on this bus.</summary>
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

    /// <summary>
    /// Creates a connected socket for a USB/IP host that sends no import request. The kernel's vhci_hcd is such a host. At the other end of the socket, the
    /// bus answers for the device. The caller owns the returned file descriptor.
    /// </summary>
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

    /// <summary>Detaches all devices, closes all connections, and deletes the files of the bus.</summary>
    public void Dispose()
    {
        List<VirtualDevice> gone;
        List<Connection> connections;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            // Devices behind a hub are removed before the hub, and all devices before their root hubs.
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

    /// <summary>Replaces a device with its successor at the same port. If the successor is already on a bus, the method detaches the device but attaches
    /// nothing. The method takes the bus's lock, so the caller must not hold the device's lock.</summary>
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

    /// <summary>Returns the device at a port. Null if there is none. The caller holds the lock.</summary>
    internal VirtualDevice? FindAt(string port) => _devices.Find(d => d.PortPath == port);

    /// <summary>Adds a device to the bus. The caller holds the lock.</summary>
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

    /// <summary>Removes a device from the bus: completes its URBs and closes its connections. The caller holds the lock.</summary>
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

    /// <summary>Removes a device from the bus, after the devices behind it. The caller holds the lock.</summary>
    private List<VirtualDevice> Unplug(VirtualDevice device)
    {
        string path = device.PortPath!;
        List<VirtualDevice> gone =
            [.. _devices.Where(d => d == device || d.PortPath!.StartsWith(path + ".", StringComparison.Ordinal)).OrderByDescending(d => d.PortPath!.Length)];
        _host.Unplug(gone);
        return gone;
    }

    /// <summary>Serves a connected socket. The first request on it names the device.</summary>
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

    /// <summary>Finds the device that an import request specifies by node (<c>001/002</c>) or by name (<c>1-1</c>), and attaches the connection to this
    /// device.</summary>
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
