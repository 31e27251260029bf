using System.Threading.Channels;

namespace Native.LibUsb;

// This part reports devices that arrive and leave.
public sealed partial class UsbContext
{
    private readonly HotplugMonitor _hotplug;

    /// <summary>
    /// Registers a callback for devices that arrive and leave (<c>libusb_hotplug_register_callback</c>). The callback runs on the thread pool, one call after
    /// the other, and never on the thread that handles events. It may therefore open devices, transfer data and wait. If the callback throws an exception,
    /// <see cref="UnhandledCallbackException"/> reports it.
    /// </summary>
    /// <remarks>
    /// The context notices arrivals and departures only while a thread handles its events. Unlike <see cref="WatchDevicesAsync"/>, this method does not start
    /// an event thread, so call <see cref="HandleEvents"/> or <see cref="StartEventThread"/>. Devices that are plugged in already are reported even if no
    /// thread handles events. Each arrival and each departure is reported once. If libusb reports the same arrival twice, the context ignores the second
    /// report. If libusb reports the departure of an unknown device, the context ignores this report, too.
    /// </remarks>
    /// <param name="callback">The callback. It owns the device in the notification, and should dispose the device.</param>
    /// <param name="filter">Selects the devices to report; null selects all devices. The filter must not contain a serial number, because only an open device
    /// reports its serial number.</param>
    /// <param name="events">Specifies whether arrivals, departures or both are reported.</param>
    /// <param name="enumerate">True if the callback first receives an arrival for each device that is already plugged in.</param>
    /// <returns>The subscription. It ends when the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The filter contains a serial number, or no event is requested.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows and libusb is older than 1.0.30, or
    /// <see cref="HasDeviceDiscovery"/> is false.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbHotplugRegistration RegisterHotplug(
        Action<UsbHotplugNotification> callback,
        UsbDeviceFilter? filter = null,
        UsbHotplugEvents events = UsbHotplugEvents.Arrived | UsbHotplugEvents.Left,
        bool enumerate = true)
    {
        ArgumentNullException.ThrowIfNull(callback);
        UsbHotplugRegistration registration = Subscribe(filter, events, enumerate);
        registration.DeliverBy(DeliverAsync(registration, callback));
        return registration;
    }

    /// <summary>
    /// Returns a stream of the devices that arrive and leave. The stream ends when the token is cancelled or when the context is disposed. If no thread handles
    /// events, the context starts its event thread. In all other respects, the stream follows the rules of <see cref="RegisterHotplug"/>.
    /// </summary>
    /// <remarks>
    /// The subscription begins with this call, so the stream also reports devices that arrive or leave before the program reads it. The stream can be
    /// enumerated only once. The subscription ends when the enumeration ends or when the token is cancelled. If the program drops the stream without reading
    /// it, the garbage collector ends the subscription.
    /// </remarks>
    /// <param name="filter">Selects the devices to report; null selects all devices. The filter must not contain a serial number, because only an open device
    /// reports its serial number.</param>
    /// <param name="events">Specifies whether arrivals, departures or both are reported.</param>
    /// <param name="enumerate">True if the stream first reports an arrival for each device that is already plugged in.</param>
    /// <param name="cancellationToken">
    /// A token that ends the subscription. If the token is cancelled, a loop that reads the stream throws <see cref="OperationCanceledException"/>.
    /// </param>
    /// <returns>
    /// The notifications, in the order in which the events occurred. The code that reads a notification owns the device in the notification, and should dispose
    /// the device.
    /// </returns>
    /// <exception cref="ArgumentException">The filter contains a serial number, or no event is requested.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows and libusb is older than 1.0.30, or
    /// <see cref="HasDeviceDiscovery"/> is false.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public IAsyncEnumerable<UsbHotplugNotification> WatchDevicesAsync(
        UsbDeviceFilter? filter = null,
        UsbHotplugEvents events = UsbHotplugEvents.Arrived | UsbHotplugEvents.Left,
        bool enumerate = true,
        CancellationToken cancellationToken = default)
    {
        UsbHotplugRegistration registration = Subscribe(filter, events, enumerate); // before the first read, so that no notification is missed
        registration.IsAwaited = true;
        RequireEvents();
        return new DeviceWatch(registration, cancellationToken);
    }

    private UsbHotplugRegistration Subscribe(UsbDeviceFilter? filter, UsbHotplugEvents events, bool enumerate)
    {
        filter ??= new UsbDeviceFilter();
        if (filter.SerialNumber is not null)
            throw new ArgumentException("The serial number of a device is known only when it is open: read it after the arrival.", nameof(filter));
        if ((events & (UsbHotplugEvents.Arrived | UsbHotplugEvents.Left)) == 0)
            throw new ArgumentException("The events must include arrivals, departures or both.", nameof(events));
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        var registration = new UsbHotplugRegistration(_hotplug, filter, events);
        try
        {
            _hotplug.Add(registration, enumerate);
        }
        catch
        {
            registration.Dispose();
            throw;
        }

        return registration;
    }

    private async Task DeliverAsync(UsbHotplugRegistration registration, Action<UsbHotplugNotification> callback)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the callback never runs on the registering thread
        ChannelReader<UsbHotplugNotification> notifications = registration.Notifications;
        while (await notifications.WaitToReadAsync().ConfigureAwait(false))
        {
            while (registration.TryTake(out UsbHotplugNotification notification))
            {
                using var delivery = registration.EnterDelivery();
                try
                {
                    callback(notification);
                }
                catch (Exception exception) // later notifications must still be delivered
                {
                    ReportCallbackException(registration, exception);
                }
            }
        }
    }
}
