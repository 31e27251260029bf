using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents an emulated device of QEMU. The device stays plugged in until this object is disposed.</summary>
public sealed class QemuDevice : IDisposable
{
    /// <summary>Specifies the bus of the xHCI controller, which is the default.</summary>
    public const string FastController = "xhci.0";

    /// <summary>Specifies the bus of the UHCI controller, which operates at full speed.</summary>
    public const string OldController = "uhci.0";

    private static int s_count;

    private readonly DeviceWatch _watch;
    private bool _isPlugged;

    /// <summary>Plugs the device in, and waits until libusb lists it and the kernel has configured it.</summary>
    /// <param name="context">A context that has an event thread.</param>
    /// <param name="driver">QEMU's name for the kind of device.</param>
    /// <param name="port">The ports on the path to the device: "1", or "1.2" for port 2 of a hub at port 1.</param>
    /// <param name="properties">Further properties of the device. The property "bus" selects a controller; the default is <see cref="FastController"/>.</param>
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

    /// <summary>Gets QEMU's identifier of this device.</summary>
    public string Id { get; }

    /// <summary>Gets the device that libusb reports. The device belongs to this object.</summary>
    public UsbDevice Device { get; } = null!;

    /// <summary>Unplugs the device, and returns before libusb has reported that.</summary>
    public void Unplug()
    {
        if (!_isPlugged)
            return;
        _isPlugged = false;
        Qmp.Monitor.Execute("device_del", new JsonObject { ["id"] = Id });
    }

    /// <summary>Waits until libusb has reported that the device has left.</summary>
    public void WaitForDeparture() => _watch.WaitForDeparture();

    /// <summary>Records that the device was unplugged together with its hub.</summary>
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
