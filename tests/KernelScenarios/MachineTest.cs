using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a test in the machine. The test has a context with an event thread, and its devices are unplugged when the test ends.</summary>
public abstract class MachineTest : IDisposable
{
    private readonly Watchdog _watchdog;
    private readonly Stack<IDisposable> _plugged = new();

    protected MachineTest(double seconds = 400)
    {
        _watchdog = new Watchdog(seconds, $"a test of {GetType().Name}");
        Context = new UsbContext();
        Context.StartEventThread();
    }

    protected static TimeSpan Patience => Machine.Patience;

    protected UsbContext Context { get; }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        try
        {
            while (_plugged.TryPop(out IDisposable? device))
                device.Dispose();
        }
        finally
        {
            Context.Dispose();
            _watchdog.Dispose();
        }
    }

    /// <summary>Plugs in an emulated device of QEMU.</summary>
    protected QemuDevice Plug(string driver, string port, params ReadOnlySpan<(string Name, JsonNode Value)> properties)
    {
        var device = new QemuDevice(Context, driver, port, properties);
        _plugged.Push(device);
        return device;
    }

    /// <summary>Plugs in a gadget of the machine's own kernel.</summary>
    private protected Gadget Plug(string function, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        var gadget = new Gadget(Context, function, attributes);
        _plugged.Push(gadget);
        return gadget;
    }

    /// <summary>Returns the descriptor of an endpoint in an alternate setting of an interface.</summary>
    protected static UsbEndpointDescriptor EndpointOf(UsbDeviceHandle handle, byte address, int alternate = 0, int interfaceNumber = 0)
    {
        Assert.True(handle.Device.GetActiveConfigurationDescriptor().TryFindSetting(interfaceNumber, alternate, out UsbInterfaceDescriptor? setting), "There is no such setting.");
        Assert.True(setting.TryFindEndpoint(address, out UsbEndpointDescriptor? endpoint), $"There is no endpoint 0x{address:x2}.");
        return endpoint;
    }

    /// <summary>Checks that two spans have the same bytes, and otherwise fails with the position of the first difference.</summary>
    protected static void AssertBytes(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int same = expected.CommonPrefixLength(actual);
        if (same < expected.Length)
            Assert.Fail($"Byte {same} of {expected.Length} is 0x{actual[same]:x2}, not 0x{expected[same]:x2}.");
    }
}
