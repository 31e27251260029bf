using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>
/// Represents a bus and a libusb context on this bus. The methods call only functions of the raw layer, so the layers above the raw layer cannot affect the
/// tests of the bus.
/// </summary>
public sealed unsafe class RawHost : IDisposable
{
    private readonly List<nint> _handles = [];

    public RawHost(params VirtualDevice[] devices)
        : this(null, devices)
    {
    }

    public RawHost(VirtualBusOptions? options, params VirtualDevice[] devices)
    {
        Bus = TestBus.Create(options);
        foreach (VirtualDevice device in devices)
            Bus.Attach(device);
        libusb_context* context;
        Check(libusb_init(&context));
        Context = context;
    }

    public VirtualBus Bus { get; }

    public libusb_context* Context { get; }

    public static void Check(int result)
    {
        if (result < 0)
            Assert.Fail($"libusb returned {(libusb_error)result}");
    }

    /// <summary>
    /// Gets the libusb device of a virtual device, with a reference that the caller must release. If libusb does not list the device, the result is null.
    /// </summary>
    public libusb_device* Find(VirtualDevice device)
    {
        libusb_device** list;
        nint count = libusb_get_device_list(Context, &list);
        Assert.True(count >= 0);
        libusb_device* found = null;
        for (nint i = 0; i < count; i++)
            if (libusb_get_bus_number(list[i]) == device.BusNumber && libusb_get_device_address(list[i]) == device.DeviceNumber)
                found = libusb_ref_device(list[i]);
        libusb_free_device_list(list, 1);
        return found;
    }

    public int TryOpen(VirtualDevice device, out libusb_device_handle* handle, bool keep = true)
    {
        libusb_device* found = Find(device);
        Assert.True(found != null, "libusb does not list the device.");
        libusb_device_handle* opened = null;
        int result = libusb_open(found, &opened);
        libusb_unref_device(found);
        handle = opened;
        if (result == 0 && keep)
            _handles.Add((nint)opened);
        return result;
    }

    public libusb_device_handle* Open(VirtualDevice device, int claim = 0, int alternate = 0)
    {
        Check(TryOpen(device, out libusb_device_handle* handle));
        if (claim >= 0)
            Check(libusb_claim_interface(handle, claim));
        if (alternate > 0)
            Check(libusb_set_interface_alt_setting(handle, claim, alternate));
        return handle;
    }

    public void Close(libusb_device_handle* handle)
    {
        Assert.True(_handles.Remove((nint)handle));
        libusb_close(handle);
    }

    /// <summary>Handles the events that are ready, and does not wait for further events.</summary>
    public void Poll()
    {
        timeval zero = default;
        Check(libusb_handle_events_timeout_completed(Context, &zero, null));
    }

    public void Dispose()
    {
        foreach (nint handle in _handles)
            libusb_close((libusb_device_handle*)handle);
        libusb_exit(Context);
        Bus.Dispose();
    }
}
