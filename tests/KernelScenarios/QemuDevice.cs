using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a device of QEMU's own, plugged in while it lives.</summary>
public sealed class QemuDevice : IDisposable
{
    /// <summary>The bus of the xHCI controller, where devices are unless something else is said.</summary>
    public const string FastController = "xhci.0";

    /// <summary>The bus of the UHCI controller, which has full speed.</summary>
    public const string OldController = "uhci.0";

    private static int s_count;

    private readonly DeviceWatch _watch;
    private bool _isPlugged;

    /// <summary>Plugs it in, and waits until libusb knows it and the kernel has configured it.</summary>
    /// <param name="context">A context with an event thread.</param>
    /// <param name="driver">QEMU's name for such a device.</param>
    /// <param name="port">The ports that lead to it: "1", or "1.2" when a hub is at the first.</param>
    /// <param name="properties">What else it is given; "bus" is another controller's.</param>
    public QemuDevice(UsbContext context, string driver, string port, params ReadOnlySpan<(string Name, JsonNode Value)> properties)
    {
        Id = $"{driver}-{Interlocked.Increment(ref s_count)}-{Environment.ProcessId}";
        byte[] ports = [.. port.Split('.').Select(byte.Parse)];
        _watch = new DeviceWatch(context, device => device.PortPath.Ports.SequenceEqual(ports) && Sysfs.IsOnPci(device.BusNumber));
        try
        {
            JsonObject arguments = new() { ["driver"] = driver, ["id"] = Id, ["bus"] = FastController, ["port"] = port };
            foreach ((string name, JsonNode value) in properties)
                arguments[name] = value;
            Qmp.Monitor.Execute("device_add", arguments);
            _isPlugged = true;
            Device = _watch.WaitForArrival();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>QEMU's name for it.</summary>
    public string Id { get; }

    /// <summary>Gets the device as libusb reports it; it belongs to this object.</summary>
    public UsbDevice Device { get; } = null!;

    /// <summary>Pulls it out, without waiting until a program notices.</summary>
    public void Unplug()
    {
        if (!_isPlugged)
            return;
        _isPlugged = false;
        Qmp.Monitor.Execute("device_del", new JsonObject { ["id"] = Id });
    }

    /// <summary>Waits until libusb has reported that it is gone.</summary>
    public void WaitForDeparture() => _watch.WaitForDeparture();

    /// <summary>Something else has pulled it out: the hub that it was plugged into.</summary>
    public void WentWithItsHub() => _isPlugged = false;

    public void Dispose()
    {
        if (_isPlugged)
        {
            Unplug();
            if (Device is not null)
                WaitForDeparture();
        }

        _watch.Dispose();
    }
}
