using System.Threading.Channels;

namespace Native.LibUsb;

/// <summary>
/// Represents a subscription to the arrivals and departures of devices. <see cref="UsbContext.RegisterHotplug"/> creates subscriptions. <see cref="Dispose"/>
/// ends a subscription, and may be called at any time and on any thread, even in the subscription's own callback.
/// </summary>
public sealed class UsbHotplugRegistration : IDisposable, IAsyncDisposable
{
    private readonly HotplugMonitor _monitor;
    private readonly UsbDeviceFilter _filter;
    private readonly UsbHotplugEvents _events;

    // Two threads can read from the channel at the same time: the thread that delivers notifications, and a thread that ends the subscription and drops the
    // remaining notifications.
    private readonly Channel<UsbHotplugNotification> _notifications = Channel.CreateUnbounded<UsbHotplugNotification>();

    // The bus and address of each device that is present and matches the filter. At first, the set contains the devices that were present when the subscription
    // began. Later, arriving devices are added, and leaving devices are removed. libusb may report the arrival of a device that is already in this set, or the
    // departure of a device that is not in this set. Such reports are ignored.
    private readonly HashSet<(byte Bus, byte Address)> _present = [];
    private bool _ended;

    // The subscription whose callback runs on this thread; null if there is none.
    [ThreadStatic]
    private static UsbHotplugRegistration? t_delivering;

    private Task _delivery = Task.CompletedTask;

    internal UsbHotplugRegistration(HotplugMonitor monitor, UsbDeviceFilter filter, UsbHotplugEvents events)
    {
        _monitor = monitor;
        _filter = filter;
        _events = events;
    }

    /// <summary>Gets or sets whether code awaits the notifications. If so, a thread must handle events.</summary>
    internal bool IsAwaited { get; set; }

    /// <summary>Gets the reader of the notifications that are not delivered yet.</summary>
    internal ChannelReader<UsbHotplugNotification> Notifications => _notifications.Reader;

    /// <summary>
    /// Ends the subscription. Notifications that are not delivered yet are dropped. If the callback is running, it continues. The callback is not called again.
    /// The method may be called more than once.
    /// </summary>
    public void Dispose()
    {
        _monitor.Remove(this);
        End();
    }

    /// <summary>Adds a device that is present when the subscription begins. The caller holds the monitor's lock.</summary>
    internal void Begin(UsbDevice device, bool tell)
    {
        if (tell)
            Offer(UsbHotplugEvents.Arrived, device);
        else if (_filter.MatchesDescriptor(device))
            _present.Add((device.BusNumber, device.Address));
    }

    /// <summary>
    /// Ends the subscription as <see cref="Dispose"/> does, and waits until a running callback has returned. If the callback itself calls this method, the
    /// method does not wait.
    /// </summary>
    /// <returns>A task that completes when the callback is no longer running.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return t_delivering == this ? ValueTask.CompletedTask : new ValueTask(_delivery);
    }

    /// <summary>Marks that the callback runs on this thread until the scope is disposed.</summary>
    internal DeliveryScope EnterDelivery() => new(this);

    /// <summary>Sets the task that calls the callback.</summary>
    internal void DeliverBy(Task delivery) => _delivery = delivery;

    /// <summary>
    /// Adds a notification if the device matches the filter and the event is new. The caller holds the monitor's lock. Each notification gets its own device
    /// object.
    /// </summary>
    internal void Offer(UsbHotplugEvents what, UsbDevice device)
    {
        // When a device leaves, the method reports the device if _present contains it. The method does not apply the filter again, because some systems cannot
        // read the interfaces of a device that is gone.
        if (_ended || (what != UsbHotplugEvents.Left && !_filter.MatchesDescriptor(device)))
            return;
        (byte, byte) place = (device.BusNumber, device.Address);
        bool news = what == UsbHotplugEvents.Left ? _present.Remove(place) : _present.Add(place);
        if (!news || (_events & what) == 0)
            return;
        UsbDevice own = device.AddReference();
        if (!_notifications.Writer.TryWrite(new UsbHotplugNotification(what, own)))
            own.Dispose();
    }

    /// <summary>Takes the next notification. The method returns false if there is no notification, or if the subscription has ended.</summary>
    internal bool TryTake(out UsbHotplugNotification notification)
    {
        if (!_notifications.Reader.TryRead(out notification))
            return false;
        if (!Volatile.Read(ref _ended))
            return true;
        notification.Device.Dispose();
        return false;
    }

    /// <summary>Ends the stream of notifications, and disposes the devices of the notifications that are not delivered.</summary>
    internal void End()
    {
        Volatile.Write(ref _ended, true);
        if (!_notifications.Writer.TryComplete())
            return;
        while (_notifications.Reader.TryRead(out UsbHotplugNotification dropped))
            dropped.Device.Dispose();
    }

    /// <summary>Represents the time during which the callback runs.</summary>
    internal readonly ref struct DeliveryScope
    {
        private readonly UsbHotplugRegistration? _outer;

        public DeliveryScope(UsbHotplugRegistration registration)
        {
            _outer = t_delivering;
            t_delivering = registration;
        }

        public void Dispose() => t_delivering = _outer;
    }
}
