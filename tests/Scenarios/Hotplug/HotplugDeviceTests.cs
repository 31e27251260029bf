using System.Collections.Concurrent;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Hotplug;

/// <summary>Tests the devices that a hotplug callback receives, and the threads that callbacks run on.</summary>
public sealed class HotplugDeviceTests : BusTest
{
    private static readonly UsbDeviceFilter s_filter = new() { ProductId = 0x0011 };

    [BusFact]
    public void A_device_that_was_kept_is_valid_after_it_left()
    {
        using UsbEventThread events = Context.StartEventThread();
        var told = new BlockingCollection<UsbHotplugNotification>();
        using UsbHotplugRegistration registration = Context.RegisterHotplug(told.Add, s_filter);
        for (int round = 0; round < Rounds.Of(20); round++)
        {
            var loopback = new BulkLoopback();
            Bus.Attach(loopback);
            UsbDevice arrived = Next(UsbHotplugEvents.Arrived);
            Bus.Detach(loopback);
            UsbDevice left = Next(UsbHotplugEvents.Left);
            Assert.Equal(arrived, left);
            foreach (UsbDevice device in new[] { arrived, left })
            {
                Context.GetDevices().Dispose(); // libusb scans, and drops the devices to which only libusb has references
                Assert.Equal(1, device.GetConfigurationDescriptor(0).Value); // from the copy of the descriptors that libusb keeps
                Assert.Equal(UsbError.NoDevice, device.TryOpen(out _));
                using (UsbDevice another = device.AddReference())
                    Assert.Equal(device, another);
                device.Dispose();
                Assert.Throws<ObjectDisposedException>(() => device.GetConfigurationDescriptor(0));
            }
        }

        UsbDevice Next(UsbHotplugEvents what)
        {
            Assert.True(told.TryTake(out UsbHotplugNotification notification, Patience));
            Assert.Equal(what, notification.Event);
            return notification.Device;
        }
    }

    [BusFact]
    public void Callbacks_run_on_no_thread_that_handles_events_and_may_wait()
    {
        var failures = new ConcurrentQueue<Exception>();
        var threads = new BlockingCollection<Thread>();
        using UsbEventThread events = Context.StartEventThread();
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        Thread? eventThread = null;
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ => eventThread = Thread.CurrentThread);
        transfer.Submit();
        Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        using UsbHotplugRegistration registration = Context.RegisterHotplug(
            told =>
            {
                using UsbDevice device = told.Device;
                if (Record.Exception(() => device.Open().Dispose()) is { } failure)
                    failures.Enqueue(failure);
                threads.Add(Thread.CurrentThread);
            },
            s_filter);
        Assert.True(threads.TryTake(out Thread? enumerating, Patience)); // the first loopback was already attached
        Bus.Attach(new BulkLoopback());
        Assert.True(threads.TryTake(out Thread? telling, Patience));
        Assert.NotNull(eventThread);
        foreach (Thread thread in new[] { enumerating, telling })
        {
            Assert.NotSame(Thread.CurrentThread, thread); // not the thread that registers
            Assert.NotSame(eventThread, thread);
        }

        Assert.Empty(failures);
    }
}
