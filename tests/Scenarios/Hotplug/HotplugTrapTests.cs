using System.Collections.Concurrent;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Hotplug;

/// <summary>
/// Tests situations in which libusb's hotplug reports are surprising. The tests check which reports a program receives from this library in these situations.
/// </summary>
public sealed class HotplugTrapTests : BusTest
{
    private const ushort Vendor = 0x1209;
    private const ushort Loopback = 0x0011;
    private const ushort Marker = 0x0012;

    private static readonly UsbDeviceFilter s_loopbacks = new() { ProductId = Loopback };

    private readonly HotplugReports _reports = new(Patience);

    [BusTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_present_device_with_a_pending_report_is_reported_once_or_not_at_all(bool enumerate)
    {
        Bus.Attach(new BulkLoopback());
        Context.FindDevice(Vendor, Loopback)!.Dispose(); // libusb has noticed the device, and its report is pending until events are handled
        using UsbHotplugRegistration registration = Context.RegisterHotplug(_reports.Add, enumerate: enumerate, filter: null);
        Assert.Equal(enumerate ? [Loopback] : [], ReportsUntilMarker(UsbHotplugEvents.Arrived).Where(product => product == Loopback));
    }

    [BusTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_device_that_left_before_the_registration_is_not_reported(bool enumerate)
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        Context.FindDevice(Vendor, Loopback)!.Dispose();
        Context.HandleEvents(TimeSpan.Zero); // libusb drops the report of the arrival: no callback is registered
        Bus.Detach(loopback);
        Assert.Null(Context.FindDevice(Vendor, Loopback)); // libusb has noticed the unplugging, and its report is pending
        using UsbHotplugRegistration registration = Context.RegisterHotplug(_reports.Add, enumerate: enumerate, filter: null);
        Assert.DoesNotContain(Loopback, ReportsUntilMarker(UsbHotplugEvents.Left));
    }

    [BusFact]
    public void The_callback_may_open_transfer_and_wait()
    {
        using UsbEventThread events = Context.StartEventThread();
        using var done = new ManualResetEventSlim();
        Exception? failure = null;
        byte[] received = new byte[512];
        using UsbHotplugRegistration registration = Context.RegisterHotplug(
            told =>
            {
                using UsbDevice device = told.Device;
                failure = Record.Exception(() =>
                {
                    using UsbDeviceHandle handle = device.Open();
                    using UsbInterface claim = handle.ClaimInterface(0);
                    handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
                    using var ended = new ManualResetEventSlim();
                    using UsbTransfer transfer = handle.CreateTransfer();
                    transfer.SetBulkPinned(BulkLoopback.InAddress, received.AsMemory(), _ => ended.Set());
                    transfer.Submit();
                    Assert.True(ended.Wait(Patience));
                });
                done.Set();
            },
            s_loopbacks);
        Bus.Attach(new BulkLoopback());
        Assert.True(done.Wait(Patience));
        Assert.Null(failure);
        Assert.Equal(new byte[] { 1, 2, 3 }, received[..3]);
    }

    [BusFact]
    public void Disposing_a_subscription_waits_for_no_callback_and_drops_queued_reports()
    {
        using UsbEventThread events = Context.StartEventThread();
        using var inCallback = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using var returned = new ManualResetEventSlim();
        int calls = 0;
        UsbHotplugRegistration registration = Context.RegisterHotplug(
            told =>
            {
                told.Device.Dispose();
                Interlocked.Increment(ref calls);
                inCallback.Set();
                goOn.Wait();
                returned.Set();
            },
            s_loopbacks);
        Bus.Attach(new BulkLoopback());
        Assert.True(inCallback.Wait(Patience));
        using (Context.RegisterHotplug(_reports.Add, s_loopbacks, enumerate: false))
        {
            Bus.Attach(new BulkLoopback());
            Assert.Equal((UsbHotplugEvents.Arrived, Loopback), _reports.Next()); // so the first subscription has the same report in its queue
        }

        var enders = new Thread[2];
        for (int i = 0; i < enders.Length; i++)
            (enders[i] = new Thread(registration.Dispose)).Start();
        foreach (Thread ender in enders)
            Assert.True(ender.Join(Patience), "Dispose waited for the callback.");
        goOn.Set();
        Assert.True(returned.Wait(Patience));
        using (Context.RegisterHotplug(_reports.Add, s_loopbacks, enumerate: false))
        {
            Bus.Attach(new BulkLoopback());
            _reports.Next();
        }

        Assert.Equal(1, calls);
    }

    [BusFact]
    public void Subscriptions_come_and_go_on_many_threads_together_with_devices_in_a_stress()
    {
        using UsbEventThread events = Context.StartEventThread();
        Exception? failure = null;
        Context.UnhandledCallbackException += (_, e) => failure = e.Exception;
        bool stop = false;
        var subscribers = new List<Thread>();
        for (int i = 0; i < 3; i++)
        {
            var thread = new Thread(() =>
            {
                failure ??= Record.Exception(() =>
                {
                    while (!Volatile.Read(ref stop))
                        SubscribeForAMoment();
                });
            });
            thread.Start();
            subscribers.Add(thread);
        }

        for (int round = 0; round < Rounds.Of(60); round++)
        {
            var device = new BulkLoopback();
            Bus.Attach(device);
            using (UsbDevice? found = Context.FindDevice(Vendor, Loopback))
                Assert.NotNull(found);
            Bus.Detach(device);
        }

        Volatile.Write(ref stop, true);
        subscribers.ForEach(thread => Assert.True(thread.Join(Patience)));
        Assert.Null(failure);

        // Each device must arrive before it leaves, and each event must be reported once.
        void SubscribeForAMoment()
        {
            var present = new HashSet<(byte Bus, byte Address)>();
            bool wrong = false;
            using var told = new ManualResetEventSlim();
            UsbHotplugRegistration registration = Context.RegisterHotplug(notification =>
            {
                using UsbDevice device = notification.Device;
                wrong |= !(notification.Event == UsbHotplugEvents.Arrived ? present.Add((device.BusNumber, device.Address)) : present.Remove((device.BusNumber, device.Address)));
                told.Set();
            });
            told.Wait(); // the root hub is always present, so this wait ends
            var other = new Thread(registration.Dispose);
            other.Start();
            registration.Dispose();
            other.Join();
            Assert.False(wrong);
        }
    }

    [BusFact]
    public async Task A_device_that_was_kept_after_it_left_can_be_read_but_not_opened()
    {
        using UsbEventThread events = Context.StartEventThread();
        var loopback = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "kept" });
        Bus.Attach(loopback);
        UsbDevice? arrived = null, left = null;
        await foreach (UsbHotplugNotification told in Context.WatchDevicesAsync(s_loopbacks))
        {
            if (told.Event == UsbHotplugEvents.Left)
            {
                left = told.Device;
                break;
            }

            arrived = told.Device;
            Bus.Detach(loopback);
        }

        using (arrived)
        using (left)
        {
            Assert.Equal(arrived, left);
            Assert.Equal(Loopback, left!.ProductId);
            Assert.Equal(2, left.GetConfigurationDescriptor(0).Interfaces[0].AlternateSettings[0].Endpoints.Count); // from the descriptors that libusb read at the arrival
            Assert.Equal(UsbError.NoDevice, left.TryOpen(out _));
            Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(arrived!.Open).Error);
            // A device that has left does not come back, so OpenAsync does not wait until the process gets the permission.
            Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(() => left.OpenAsync(TimeSpan.FromDays(1)))).Error);
            Assert.NotEqual(UsbError.Success, left.TryGetString(UsbDeviceString.SerialNumber, out string? serial));
            Assert.Null(serial);
            Assert.Throws<UsbException>(() => left.GetActiveConfigurationDescriptor()); // only the system can report which configuration is active
            using UsbDevice? hub = left.GetParent();
            Assert.NotEqual(left, hub);
        }
    }

    [PreloadOnly(KernelLimits.Opens)]
    [BusFact]
    public void Opening_waits_for_a_permission_that_comes_later()
    {
        var loopback = new BulkLoopback { DenyNextOpens = 3 };
        Bus.Attach(loopback);
        using UsbDevice device = Context.FindDevice(Vendor, Loopback)!;
        UsbException denied = Assert.Throws<UsbException>(() => device.Open(TimeSpan.Zero)); // tries once
        Assert.Equal(UsbError.Access, denied.Error);
        Assert.Contains("plugged in a moment ago", denied.Hint, StringComparison.Ordinal);
        Assert.Equal(1, loopback.DeniedOpens);
        using (UsbDeviceHandle handle = device.Open(Patience))
            Assert.Equal((3, 1), (loopback.DeniedOpens, loopback.Opens));

        loopback.DenyAccess = true;
        Assert.Equal(UsbError.Access, Assert.Throws<UsbException>(() => device.Open(TimeSpan.FromMilliseconds(30))).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Open(TimeSpan.FromMilliseconds(-1)));
    }

    [PreloadOnly(KernelLimits.Opens)]
    [BusFact]
    public async Task Waiting_for_permission_can_be_cancelled_and_is_refused_in_a_callback()
    {
        var loopback = new BulkLoopback { DenyAccess = true };
        Bus.Attach(loopback);
        using UsbDevice device = Context.FindDevice(Vendor, Loopback)!;
        using var stop = new CancellationTokenSource();
        Task<UsbDeviceHandle> opening = device.OpenAsync(TimeSpan.FromDays(1), stop.Token);
        Assert.True(loopback.WaitUntil(() => loopback.DeniedOpens >= 4, Patience), "OpenAsync did not try again.");
        Assert.False(opening.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);

        using UsbDeviceHandle source = Open(new BulkLoopback(new BulkLoopbackOptions { ProductId = 0x7777 }));
        Task<UsbDeviceHandle>? inside = null;
        using UsbTransfer transfer = source.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => inside = device.OpenAsync(TimeSpan.FromDays(1)));
        transfer.Submit();
        Finish(transfer);
        await Assert.ThrowsAsync<InvalidOperationException>(() => inside!);
    }

    [BusFact]
    public void Unplugging_ends_transfers_in_flight_and_the_handle_stays_until_it_is_disposed()
    {
        using UsbEventThread events = Context.StartEventThread();
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        const int count = 8;
        var statuses = new ConcurrentQueue<UsbTransferStatus>();
        using var ended = new CountdownEvent(count);
        UsbTransfer[] transfers = [.. Enumerable.Range(0, count).Select(_ => handle.CreateTransfer())];
        foreach (UsbTransfer transfer in transfers)
        {
            transfer.SetBulk(BulkLoopback.InAddress, 512, t =>
            {
                statuses.Enqueue(t.Status);
                ended.Signal();
            });
            transfer.Submit();
        }

        UsbError synchronous = UsbError.Success;
        var reader = new Thread(() => synchronous = handle.At(BulkLoopback.InAddress).TryRead(new byte[512], out _));
        reader.Start();
        Assert.True(input.WaitForPending(count + 1, Patience));
        Bus.Detach(loopback);
        Assert.True(ended.Wait(Patience));
        Assert.True(reader.Join(Patience));
        Assert.All(statuses, status => Assert.Equal(UsbTransferStatus.NoDevice, status));
        Assert.Equal(count, statuses.Count);
        Assert.Equal(UsbError.NoDevice, synchronous);

        Assert.Equal(UsbError.NoDevice, transfers[0].TrySubmit());
        Assert.Equal(UsbError.NoDevice, handle.TryControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), new byte[18], out _, Patience));
        Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(() => handle.At(BulkLoopback.InAddress).ClearHalt()).Error);
        Assert.Equal(UsbError.NoDevice, handle.TryClaimInterface(1, out _));
        Bus.Attach(loopback);
        using (UsbDeviceHandle again = Open(loopback)) // the old handle is still open
            Assert.Equal(1, again.At(BulkLoopback.OutAddress).Write([1], Patience));
        handle.Dispose();
        Assert.All(transfers, transfer => Assert.True(transfer.IsDisposed));
    }

    /// <summary>
    /// Plugs in a second device as a marker. If the caller waits for a removal, this method also unplugs the marker. Then collects libusb's reports until
    /// libusb reports the marker's arrival or removal. Returns the product IDs of these reports. libusb reports events in order, so no earlier report is
    /// missing.
    /// </summary>
    private List<ushort> ReportsUntilMarker(UsbHotplugEvents what)
    {
        var marker = new InterruptSource();
        Bus.Attach(marker);
        Context.FindDevice(Vendor, Marker)!.Dispose();
        if (what == UsbHotplugEvents.Left)
            Bus.Detach(marker);
        var products = new List<ushort>();
        (UsbHotplugEvents Event, ushort Product) report;
        do
        {
            while (!_reports.TryNext(TimeSpan.FromMilliseconds(1), out report))
                Context.HandleEvents(TimeSpan.FromMilliseconds(10));
            products.Add(report.Product);
        }
        while (report != (what, Marker));
        return products;
    }
}
