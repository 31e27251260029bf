using System.Globalization;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the kernel's vhci_hcd as the host. For each device, the bus and vhci_hcd are connected by a pair of sockets. The kernel's hub driver, usbfs and
/// udev then handle the device like a physical device.
/// </summary>
internal sealed class KernelHost : BusHost
{
    private const string MemoryLimit = "/sys/module/usbcore/parameters/usbfs_memory_mb", Attach = VhciPort.FirstController + "/attach";

    // The kernel makes several attempts to enumerate a device that does not answer before it gives up.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // The device answers immediately, unless a test prevents that.
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    private readonly UdevMonitor _monitor;
    private readonly string _memoryLimit;

    public KernelHost(VirtualBus bus)
        : base(bus)
    {
        if (bus.Options.Capabilities != UsbfsCapabilities.Default)
            throw new PlatformNotSupportedException("The kernel decides the capabilities of usbfs: they cannot be chosen.");
        _monitor = new UdevMonitor();
        _memoryLimit = File.ReadAllText(MemoryLimit).Trim();
        Write(MemoryLimit, bus.Options.UsbfsMemoryMegabytes.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Gets the reason why the kernel cannot be the host on this system. Null if it can.</summary>
    public static string? UnavailableReason
    {
        get
        {
            if (!File.Exists(Attach))
                return "The kernel's module vhci_hcd is not loaded.";
            try
            {
                using (File.Open(Attach, FileMode.Open, FileAccess.Write))
                    return null;
            }
            catch (UnauthorizedAccessException)
            {
                return "This process may not attach devices to the kernel's vhci_hcd, because it does not run as root.";
            }
        }
    }

    public override string RootDirectory => "/";

    public override IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    public override bool HidesResets => true;

    public override void Plug(VirtualDevice device, string? port)
    {
        if (device.DenyAccess || device.DenyNextOpens > 0)
            throw new PlatformNotSupportedException("The kernel decides which users may open a device node: a virtual device cannot deny the access.");
        if (device.Successor is not null)
            throw new PlatformNotSupportedException(VirtualDevice.NoSuccessor);
        VhciPort place = Choose(device.Description.Speed, port);
        _monitor.Forget();
        Bus.Add(device, 0, place.Bus, 0, place.Name);
        int socket = Bus.OpenConnection(device);
        try
        {
            // The kernel sends this number in each message, but does not interpret it.
            Write(Attach, string.Create(CultureInfo.InvariantCulture, $"{place.Number} {socket} {(place.Bus << 16) | place.Place} {(int)device.Description.Speed}"));
            // The bind event means that the device is configured and its interfaces exist.
            if (!_monitor.WaitFor("bind", place.Name, s_patience))
                throw new TimeoutException($"The kernel did not attach the device at {place.Name} within {s_patience.TotalSeconds} s.");
            device.DeviceNumber = int.Parse(File.ReadAllText($"/sys/bus/usb/devices/{place.Name}/devnum"), CultureInfo.InvariantCulture);
        }
        catch
        {
            Bus.Remove(device);
            throw;
        }
        finally
        {
            _ = Libc.Close(socket); // the kernel has a reference of its own
        }
    }

    /// <remarks>
    /// <para>The method disables the port before it closes the socket. The kernel's hub driver then disconnects the device while the socket is still open. The
    /// opposite order would not be safe: if a program submits and cancels a URB while vhci_hcd closes the connection, vhci_hcd never completes the URB. In
    /// that case, every thread that waits for this URB stays blocked. One of these threads can be the thread of the hub driver.</para>
    /// <para>Before the method disables the port, it sends a GET_STATUS request and waits for the answer. When this answer arrives, the kernel has also
    /// received all URBs that the device completed before the answer. Without this step, the hub driver could report such URBs as unlinked.</para>
    /// </remarks>
    public override void Unplug(IReadOnlyList<VirtualDevice> devices)
    {
        string? stuck = null;
        foreach (VirtualDevice device in devices)
        {
            string name = device.PortPath!;
            VhciPort place = VhciPort.All().Find(p => p.Name == name)!;
            _monitor.Forget();
            bool isThere = Directory.Exists($"/sys/bus/usb/devices/{name}"); // the kernel may have removed it on its own
            if (isThere && !device.ControlEndpoint.IsHolding)
                _ = UsbfsNode.TryAskForStatus(device.BusNumber, device.DeviceNumber, s_lastWords);
            lock (device.SyncRoot)
                device.IsAttached = false; // further submissions fail
            bool isDisabled = TryDisable(place, true);
            Bus.Remove(device);
            // vhci_hcd sends no event when the port is free again
            if ((isThere && !_monitor.WaitFor("remove", name, s_patience)) || !SpinWait.SpinUntil(() => VhciPort.All().Exists(p => p.Name == name && p.IsFree), s_patience))
                stuck = name;
            if (isDisabled)
                TryDisable(place, false);
        }
        if (stuck is not null)
            throw new TimeoutException($"The kernel did not release the device at {stuck} within {s_patience.TotalSeconds} s.");
    }

    public override void Dispose()
    {
        _monitor.Dispose();
        Write(MemoryLimit, _memoryLimit);
    }

    private static VhciPort Choose(VirtualSpeed speed, string? port)
    {
        if (speed > VirtualSpeed.Super)
            throw new PlatformNotSupportedException("The kernel's vhci_hcd has no ports that are faster than SuperSpeed.");
        bool super = speed == VirtualSpeed.Super;
        List<VhciPort> ports = VhciPort.All();
        if (port is null)
            return ports.Find(p => p.IsFree && p.IsSuperSpeed == super) ?? throw new InvalidOperationException("All ports of the kernel's vhci_hcd are taken.");
        UsbPort place = UsbPort.Parse(port);
        if (place.Parent is not null)
            throw new PlatformNotSupportedException("The kernel's vhci_hcd has no hubs behind its own.");
        VhciPort chosen = ports.Find(p => p.Name == port) ?? throw new PlatformNotSupportedException($"The kernel's vhci_hcd has no port {port}.");
        if (chosen.IsSuperSpeed != super)
            throw new PlatformNotSupportedException($"Port {port} of the kernel's vhci_hcd is not for devices of that speed.");
        return chosen.IsFree ? chosen : throw new InvalidOperationException($"Port {port} is taken.");
    }

    /// <summary>Disables or enables a port. If the method disables the port, the kernel disconnects the port's device before the method returns.</summary>
    /// <returns>False if the kernel cannot disable ports, because it is older than 6.0.</returns>
    private static bool TryDisable(VhciPort port, bool disabled)
    {
        string file = $"/sys/bus/usb/devices/{port.Bus}-0:1.0/usb{port.Bus}-port{port.Place}/disable";
        if (!File.Exists(file))
            return false;
        Write(file, disabled ? "1" : "0");
        return true;
    }

    /// <summary>Writes to a sysfs file in one call, as sysfs requires.</summary>
    private static void Write(string path, string text)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.ASCII.GetBytes(text));
    }
}
