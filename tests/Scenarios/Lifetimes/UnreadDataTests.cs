using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests that unread data and unread notifications do not delay the closing of a handle or a context, and that an unplugged device does not cause a busy loop.
/// </summary>
public sealed class UnreadDataTests : BusTest
{
    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unread_data_does_not_delay_closing(bool withEventThread)
    {
        const int count = 60;
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        var received = new List<int>();
        for (int i = 0; i < count; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512, t => received.Add(t.ActualLength));
            transfer.Submit();
        }

        // Half of the input transfers complete. No thread handles their events before the handle closes.
        for (int i = 0; i < count / 2; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.OutAddress, 512);
            transfer.Submit();
        }

        Assert.True(loopback.Endpoint(BulkLoopback.InAddress).WaitForCompleted(count / 2, Patience));
        using UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        handle.Dispose();
        Assert.Equal(count, received.Count);
        Assert.Equal(count / 2, received.Count(length => length == 512));
        Assert.Equal(count / 2, received.Count(length => length == 0));
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public unsafe void Unread_device_notifications_do_not_delay_closing(bool endSubscriptions)
    {
        var complaints = new ConcurrentQueue<string>();
        var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Warning });
        context.SetLogHandler((level, message) => complaints.Enqueue($"{level}: {Encoding.UTF8.GetString(message)}"));
        using var called = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        bool gaveUp = false;
        for (int i = 0; i < 10; i++)
            Bus.Attach(new BulkLoopback());
        UsbHotplugRegistration registration = context.RegisterHotplug(told =>
        {
            told.Device.Dispose();
            called.Set();
            gaveUp = !goOn.Wait(Patience); // the later notifications wait for this callback
        });
        IAsyncEnumerable<UsbHotplugNotification> unread = context.WatchDevicesAsync(); // the test never reads these notifications
        Assert.True(called.Wait(Patience));
        if (endSubscriptions)
            registration.Dispose();
        context.Dispose();
        Assert.False(gaveUp); // Dispose did not wait for the callback
        goOn.Set();
        Assert.Throws<ObjectDisposedException>(() => context.DangerousGetContext()); // the context is exited, although notifications were unread
        Assert.Empty(complaints);
        GC.KeepAlive(unread);
    }

    [BusFact]
    public void Devices_of_unread_notifications_are_released_when_the_subscription_ends()
    {
        const int count = 10;
        int destroyed = 0;
        bool gaveUp = false;
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            BulkLoopback[] devices = [.. Enumerable.Range(0, count).Select(_ => new BulkLoopback())];
            Array.ForEach(devices, device => Bus.Attach(device));
            using var called = new ManualResetEventSlim();
            using var goOn = new ManualResetEventSlim();
            UsbHotplugRegistration registration = Context.RegisterHotplug(
                told =>
                {
                    told.Device.Dispose();
                    called.Set();
                    gaveUp = !goOn.Wait(2 * Patience); // the later notifications wait for this callback
                },
                new UsbDeviceFilter { VendorId = devices[0].Description.VendorId },
                UsbHotplugEvents.Arrived);
            Assert.True(called.Wait(Patience));
            registration.Dispose();
            Context.SetLogHandler((_, message) =>
            {
                if (message.IndexOf("destroy device"u8) >= 0) // the last reference to a device is released
                    Interlocked.Increment(ref destroyed);
            });
            Context.SetLogLevel(UsbLogLevel.Debug);
            Array.ForEach(devices, Bus.Detach);
            HandleEventsUntil(() => Volatile.Read(ref destroyed) == count);
            Assert.False(gaveUp); // the end of the subscription released the devices, not the waiting callback
            goOn.Set();
        }
        finally
        {
            Context.SetLogLevel(UsbLogLevel.None);
            UsbLibrary.SetLogHandler(null);
        }
    }

    [BusFact]
    public void An_unplugged_device_ends_the_stream_and_nothing_spins()
    {
        const int count = 8;
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        int failed = 0, gone = 0, completed = 0;
        var helper = new UsbTransferHelper { Default = _ => true }; // submits again after any other status
        helper[UsbTransferStatus.Completed] = _ => ++completed > 0;
        helper[UsbTransferStatus.NoDevice] = _ => ++gone > 0;
        helper.ResubmitFailed += (_, failure) =>
        {
            Assert.Equal(UsbError.NoDevice, failure.Error);
            failed++;
        };
        UsbTransfer[] transfers = [.. Enumerable.Range(0, count).Select(_ => handle.CreateTransfer(isoPackets: 8))];
        foreach (UsbTransfer transfer in transfers)
        {
            transfer.SetIsochronous(IsoSource.EndpointAddress, 512, helper.Callback);
            transfer.Submit();
        }

        HandleEventsUntil(() => completed > 10 * count);
        Bus.Detach(source);
        HandleEventsUntil(() => Array.TrueForAll(transfers, transfer => !transfer.IsSubmitted));
        Assert.Equal(count, failed); // one failed resubmission for each transfer
        Assert.InRange(gone, 0, count);

        int calls = 0;
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromMilliseconds(300); calls++)
            Context.HandleEvents(TimeSpan.FromMilliseconds(100));
        Assert.InRange(calls, 1, 20); // if libusb still watched the node, there would be thousands of calls
        Assert.Equal(count, failed);
    }
}
