using System.Threading.Channels;

namespace Native.LibUsb;

// Devices that come and go.
public sealed partial class UsbContext
{
    private readonly HotplugMonitor _hotplug;

    /// <summary>
    /// Calls back when devices come and go (<c>libusb_hotplug_register_callback</c>). The callback runs on the thread pool, one call after the
    /// other, never on the thread that handles events: it may open devices, transfer and wait. An exception from it goes to
    /// <see cref="UnhandledCallbackException"/>.
    /// </summary>
    /// <remarks>
    /// Arrivals and departures are noticed while the events of the context are handled. This method does not start a thread for that, unlike
    /// <see cref="WatchDevicesAsync"/>: call <see cref="HandleEvents"/> or <see cref="StartEventThread"/>. Devices that are there already are reported without it.
    /// Each device is reported once, although libusb may report a device twice, or as leaving although it never arrived.
    /// </remarks>
    /// <param name="callback">What to call. It owns the device it gets.</param>
    /// <param name="filter">Which devices; null is all. It must not contain a serial number, which only an open device reports.</param>
    /// <param name="events">Whether devices that come, go, or both are reported.</param>
    /// <param name="enumerate">Whether the devices that are plugged in already are reported as arrived first.</param>
    /// <returns>The subscription; dispose it to end it.</returns>
    /// <exception cref="ArgumentException">The filter requests a serial number, or no event is requested.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: on Windows before libusb 1.0.30, and without <see cref="HasDeviceDiscovery"/>.</exception>
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
    /// Reports devices that come and go as a stream that ends when it is canceled or the context is disposed. The context's event thread is started if no thread
    /// handles events; see <see cref="RegisterHotplug"/> for the rest.
    /// </summary>
    /// <remarks>
    /// The stream reports what happens from this call on, also before it is read, and is read once. The subscription ends with the enumeration, with the
    /// token whether the stream is read or not, and after the program has dropped the stream.
    /// </remarks>
    /// <param name="filter">Which devices; null is all. It must not ask for a serial number.</param>
    /// <param name="events">Whether devices that come, go, or both are reported.</param>
    /// <param name="enumerate">Whether the devices that are plugged in already are reported as arrived first.</param>
    /// <param name="cancellationToken">Ends the subscription; a loop that reads the stream throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The notifications in order. The reader owns the devices.</returns>
    /// <exception cref="ArgumentException">The filter requests a serial number, or no event is requested.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: on Windows before libusb 1.0.30, and without <see cref="HasDeviceDiscovery"/>.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public IAsyncEnumerable<UsbHotplugNotification> WatchDevicesAsync(
        UsbDeviceFilter? filter = null,
        UsbHotplugEvents events = UsbHotplugEvents.Arrived | UsbHotplugEvents.Left,
        bool enumerate = true,
        CancellationToken cancellationToken = default)
    {
        UsbHotplugRegistration registration = Subscribe(filter, events, enumerate); // now, not when it is first read: nothing is missed
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
            throw new ArgumentException("Ask for devices that arrive, that leave, or both.", nameof(events));
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
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // never on the thread that registers
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
                catch (Exception exception) // the next device is reported nevertheless
                {
                    ReportCallbackException(registration, exception);
                }
            }
        }
    }
}
