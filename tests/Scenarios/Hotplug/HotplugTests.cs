using System.Collections.Concurrent;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Hotplug;

/// <summary>Tests that the library reports devices that arrive and leave.</summary>
public sealed class HotplugTests : BusTest
{
    private const ushort Loopback = 0x0011;

    private readonly HotplugReports _reports = new(Patience);

    [BusFact]
    public void Present_arriving_and_leaving_devices_are_reported_in_order()
    {
        var first = new BulkLoopback();
        Bus.Attach(first);
        using UsbEventThread events = Context.StartEventThread();
        using UsbHotplugRegistration registration = Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { ProductId = Loopback });
        Assert.Equal((UsbHotplugEvents.Arrived, Loopback), _reports.Next());
        var second = new BulkLoopback();
        Bus.Attach(second);
        Assert.Equal((UsbHotplugEvents.Arrived, Loopback), _reports.Next());
        Bus.Attach(new InterruptSource()); // does not match the filter
        Bus.Detach(first);
        Assert.Equal((UsbHotplugEvents.Left, Loopback), _reports.Next());
        Bus.Detach(second);
        Assert.Equal((UsbHotplugEvents.Left, Loopback), _reports.Next());
        Assert.True(_reports.IsEmpty);
    }

    [BusFact]
    public void Without_enumeration_only_changes_are_reported()
    {
        var first = new BulkLoopback();
        Bus.Attach(first);
        Context.FindDevice(0x1209, Loopback)!.Dispose(); // libusb has noticed the device
        Context.HandleEvents(TimeSpan.Zero);             // and delivers its pending reports
        using UsbEventThread events = Context.StartEventThread();
        using UsbHotplugRegistration registration = Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { ProductId = Loopback }, enumerate: false);
        Bus.Detach(first);
        Assert.Equal((UsbHotplugEvents.Left, Loopback), _reports.Next());
        Assert.True(_reports.IsEmpty);
    }

    [BusFact]
    public void Only_the_requested_events_are_reported()
    {
        using UsbEventThread events = Context.StartEventThread();
        using var arrived = new ManualResetEventSlim();
        using UsbHotplugRegistration left = Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { ProductId = Loopback }, UsbHotplugEvents.Left);
        using UsbHotplugRegistration here = Context.RegisterHotplug(_ => arrived.Set(), new UsbDeviceFilter { ProductId = Loopback }, UsbHotplugEvents.Arrived);
        var device = new BulkLoopback();
        Bus.Attach(device);
        Assert.True(arrived.Wait(Patience)); // libusb would not report a device that left before its scan
        Bus.Detach(device);
        Assert.Equal((UsbHotplugEvents.Left, Loopback), _reports.Next());
        Assert.True(_reports.IsEmpty);
    }

    [BusFact]
    public void The_callback_may_open_transfer_and_end_its_own_subscription()
    {
        using UsbEventThread events = Context.StartEventThread();
        using var done = new ManualResetEventSlim();
        string? product = null;
        UsbHotplugRegistration registration = null!;
        using var registered = new ManualResetEventSlim();
        registration = Context.RegisterHotplug(
            told =>
            {
                registered.Wait();
                using UsbDevice device = told.Device;
                using UsbDeviceHandle handle = device.Open();
                product = handle.GetString(device.Descriptor.ProductIndex);
                registration.Dispose();
                done.Set();
            },
            new UsbDeviceFilter { ProductId = Loopback });
        registered.Set();
        Bus.Attach(new BulkLoopback());
        Assert.True(done.Wait(Patience));
        Assert.Equal("Bulk loopback", product);
        registration.Dispose();
    }

    [BusFact]
    public async Task Devices_can_be_read_as_a_stream_until_it_is_cancelled()
    {
        using UsbEventThread events = Context.StartEventThread();
        using var stop = new CancellationTokenSource();
        var device = new BulkLoopback();
        var told = new List<UsbHotplugEvents>();
        IAsyncEnumerable<UsbHotplugNotification> stream = Context.WatchDevicesAsync(new UsbDeviceFilter { ProductId = Loopback }, cancellationToken: stop.Token);
        Bus.Attach(device); // the call above has subscribed already
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (UsbHotplugNotification notification in stream)
            {
                using UsbDevice owned = notification.Device;
                told.Add(notification.Event);
                if (told.Count == 1)
                    Bus.Detach(device);
                else
                    await stop.CancelAsync();
            }
        });
        Assert.Equal([UsbHotplugEvents.Arrived, UsbHotplugEvents.Left], told);
    }

    [BusFact]
    public async Task Disposing_the_context_ends_the_stream()
    {
        Context.StartEventThread();
        IAsyncEnumerable<UsbHotplugNotification> stream = Context.WatchDevicesAsync(new UsbDeviceFilter { ProductId = Loopback });
        Bus.Attach(new BulkLoopback());
        int told = 0;
        await foreach (UsbHotplugNotification notification in stream)
        {
            told++;
            Context.Dispose();
        }

        Assert.Equal(1, told);
    }

    [BusFact]
    public void After_Dispose_no_device_is_reported()
    {
        using UsbEventThread events = Context.StartEventThread();
        UsbHotplugRegistration ended = Context.RegisterHotplug(_ => Assert.Fail("The ended registration reported a device."), new UsbDeviceFilter { ProductId = Loopback });
        ended.Dispose();
        using UsbHotplugRegistration other = Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { ProductId = Loopback });
        Bus.Attach(new BulkLoopback());
        Assert.Equal((UsbHotplugEvents.Arrived, Loopback), _reports.Next());
    }

    [BusFact]
    public void An_exception_from_the_callback_is_reported_and_so_is_the_next_device()
    {
        using UsbEventThread events = Context.StartEventThread();
        var reports = new BlockingCollection<Exception>();
        Context.UnhandledCallbackException += (_, e) => reports.Add(e.Exception);
        using UsbHotplugRegistration registration = Context.RegisterHotplug(
            notification =>
            {
                _reports.Add(notification);
                throw new InvalidDataException();
            },
            new UsbDeviceFilter { ProductId = Loopback });
        Bus.Attach(new BulkLoopback());
        Bus.Attach(new BulkLoopback());
        _reports.Next();
        _reports.Next();
        Assert.True(reports.TryTake(out Exception? first, Patience));
        Assert.IsType<InvalidDataException>(first);
    }

    [BusFact]
    public void A_filter_by_serial_number_no_events_and_no_callback_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Context.RegisterHotplug(_reports.Add, new UsbDeviceFilter { SerialNumber = "1" }));
        Assert.Throws<ArgumentException>(() => Context.RegisterHotplug(_reports.Add, events: UsbHotplugEvents.None));
        Assert.Throws<ArgumentNullException>(() => Context.RegisterHotplug(null!));
        Context.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Context.RegisterHotplug(_reports.Add));
    }
}
