using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents the only hotplug callback that a context registers with libusb, and the subscriptions that receive the events. The callback stays registered
/// until the context exits. The library never deregisters the callback, for two reasons. After a program has deregistered a callback, libusb may call the
/// callback once more. If the program deregisters a callback inside a callback, or while another thread calls <c>libusb_exit</c>, libusb frees its record of
/// the callback incorrectly.
/// </summary>
internal sealed unsafe class HotplugMonitor
{
    private readonly UsbContext _context;
    private readonly List<UsbHotplugRegistration> _registrations = [];
    private bool _registered;
    private bool _ended;

    public HotplugMonitor(UsbContext context) => _context = context;

    /// <summary>Gets whether code awaits notifications.</summary>
    public bool HasWatchers
    {
        get
        {
            lock (_registrations)
                return _registrations.Exists(static registration => registration.IsAwaited);
        }
    }

    /// <summary>Adds a subscription.</summary>
    /// <param name="registration">The subscription.</param>
    /// <param name="enumerate">Whether to report an arrival for each device that is already plugged in.</param>
    public void Add(UsbHotplugRegistration registration, bool enumerate)
    {
        lock (_registrations) // libusb's callback waits until the present devices have been reported
        {
            ObjectDisposedException.ThrowIf(_ended, _context); // no thread would end the subscription
            Register();
            using UsbDeviceList devices = _context.GetDevices();
            foreach (UsbDevice device in devices)
                registration.Begin(device, enumerate);
            _registrations.Add(registration);
        }
    }

    public void Remove(UsbHotplugRegistration registration)
    {
        lock (_registrations)
            _registrations.Remove(registration);
    }

    /// <summary>Ends all subscriptions, because the context closes.</summary>
    public void EndAll()
    {
        UsbHotplugRegistration[] registrations;
        lock (_registrations)
        {
            _ended = true;
            registrations = [.. _registrations];
            _registrations.Clear();
        }

        foreach (UsbHotplugRegistration registration in registrations)
            registration.End();
    }

    private void Register()
    {
        if (_registered)
            return;
        if (!_context.HasDeviceDiscovery) // libusb would register the callback, but would not report any device
        {
            UsbException.Throw(UsbError.NotSupported, "subscribe to hotplug events",
                hint: "The context has no device discovery: see UsbContext.HasDeviceDiscovery.");
        }

        if (!UsbLibrary.HasCapability(UsbCapability.Hotplug))
        {
            UsbException.Throw(UsbError.NotSupported, "subscribe to hotplug events",
                hint: OperatingSystem.IsWindows() ? "On Windows that needs libusb 1.0.30 or newer." : null);
        }

        using var lease = new HandleLease(_context.NativeHandle);
        GCHandle self = UserDataHandle.Allocate(this, GCHandleType.Weak);
        int handle;
        int result = libusb.libusb_hotplug_register_callback(
            _context.NativeHandle.Pointer,
            (int)(libusb_hotplug_event.LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | libusb_hotplug_event.LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT),
            libusb.LIBUSB_HOTPLUG_NO_FLAGS,
            libusb.LIBUSB_HOTPLUG_MATCH_ANY, libusb.LIBUSB_HOTPLUG_MATCH_ANY, libusb.LIBUSB_HOTPLUG_MATCH_ANY,
            &OnHotplug, (void*)GCHandle.ToIntPtr(self), &handle);
        _context.NativeHandle.FreeAfterExit(self);
        UsbException.ThrowIfError(result, "subscribe to hotplug events");
        _registered = true;
    }

    // Runs in libusb's event handling. The device belongs to libusb: code that keeps the device takes a reference first.
    [UnmanagedCallersOnly]
    private static int OnHotplug(libusb_context* context, libusb_device* device, libusb_hotplug_event what, void* userData)
    {
        if (GCHandle.FromIntPtr((nint)userData).Target is HotplugMonitor monitor)
            monitor.Tell(device, (UsbHotplugEvents)what);
        return 0; // 1 would deregister
    }

    private void Tell(libusb_device* native, UsbHotplugEvents what)
    {
        try
        {
            lock (_registrations)
            {
                if (_registrations.Count == 0)
                    return;
                using var device = new UsbDevice(_context, native);
                foreach (UsbHotplugRegistration registration in _registrations)
                    registration.Offer(what, device);
            }
        }
        catch (ObjectDisposedException)
        {
            // the context is closing and no longer reports anything
        }
        catch (Exception exception) // an exception may not cross libusb's frames
        {
            _context.ReportCallbackException(null, exception);
        }
    }
}
