using System.Threading.Channels;

namespace Native.LibUsb;

/// <summary>
/// Represents a subscription to devices that come and go. Made by <see cref="UsbContext.RegisterHotplug"/>; ended by disposing it, at any time and on any
/// thread, its own callback included.
/// </summary>
public sealed class UsbHotplugRegistration : IDisposable, IAsyncDisposable
{
    private readonly HotplugMonitor _monitor;
    private readonly UsbDeviceFilter _filter;
    private readonly UsbHotplugEvents _events;

    // Not of the kind for a single reader: the thread that ends the subscription reads what the deliverer will not.
    private readonly Channel<UsbHotplugNotification> _notifications = Channel.CreateUnbounded<UsbHotplugNotification>();

    // Where devices are that the subscriber knows: what is there when the subscription begins may be reported by libusb once more, as arrived
    // or, when it had gone before, as having left.
    private readonly HashSet<(byte Bus, byte Address)> _present = [];
    private bool _ended;

    // The subscription whose callback runs on this thread.
    [ThreadStatic]
    private static UsbHotplugRegistration? t_delivering;

    private Task _delivery = Task.CompletedTask;

    internal UsbHotplugRegistration(HotplugMonitor monitor, UsbDeviceFilter filter, UsbHotplugEvents events)
    {
        _monitor = monitor;
        _filter = filter;
        _events = events;
    }

    /// <summary>Gets or sets whether code awaits the notifications, so that a thread must handle events.</summary>
    internal bool IsAwaited { get; set; }

    /// <summary>Gets the notifications that were not read yet.</summary>
    internal ChannelReader<UsbHotplugNotification> Notifications => _notifications.Reader;

    /// <summary>
    /// Ends the subscription. Notifications that were not delivered are dropped. A callback that is running goes on; none is called after
    /// it. May be called more than once.
    /// </summary>
    public void Dispose()
    {
        _monitor.Remove(this);
        End();
    }

    /// <summary>Takes a device that is there when the subscription begins. The caller holds the monitor's lock.</summary>
    internal void Begin(UsbDevice device, bool tell)
    {
        if (tell)
            Offer(UsbHotplugEvents.Arrived, device);
        else
            _present.Add((device.BusNumber, device.Address));
    }

    /// <summary>Ends the subscription as <see cref="Dispose"/> does, and waits for a callback that is running. In that callback it does not wait.</summary>
    /// <returns>Completes when no callback runs any more.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return t_delivering == this ? ValueTask.CompletedTask : new ValueTask(_delivery);
    }

    /// <summary>Marks that the callback runs on this thread.</summary>
    internal DeliveryScope EnterDelivery() => new(this);

    /// <summary>Notes who calls the callback.</summary>
    internal void DeliverBy(Task delivery) => _delivery = delivery;

    /// <summary>Takes the reports of the monitor; the caller holds the monitor's lock. Each notification has a device of its own.</summary>
    internal void Offer(UsbHotplugEvents what, UsbDevice device)
    {
        if (_ended || !_filter.MatchesDescriptor(device))
            return;
        (byte, byte) place = (device.BusNumber, device.Address);
        bool news = what == UsbHotplugEvents.Left ? _present.Remove(place) : _present.Add(place);
        if (!news || (_events & what) == 0)
            return;
        UsbDevice own = device.AddReference();
        if (!_notifications.Writer.TryWrite(new UsbHotplugNotification(what, own)))
            own.Dispose();
    }

    /// <summary>Takes the next notification. None is taken once it has ended.</summary>
    internal bool TryTake(out UsbHotplugNotification notification)
    {
        if (!_notifications.Reader.TryRead(out notification))
            return false;
        if (!Volatile.Read(ref _ended))
            return true;
        notification.Device.Dispose();
        return false;
    }

    /// <summary>Completes the notifications, and releases those no thread will read.</summary>
    internal void End()
    {
        Volatile.Write(ref _ended, true);
        if (!_notifications.Writer.TryComplete())
            return;
        while (_notifications.Reader.TryRead(out UsbHotplugNotification dropped))
            dropped.Device.Dispose();
    }

    /// <summary>Lasts as long as the callback runs.</summary>
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
