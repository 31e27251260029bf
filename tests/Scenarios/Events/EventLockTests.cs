using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests the event locks and the user data of hotplug registrations. Both features exist only in the raw layer.</summary>
public sealed unsafe class EventLockTests : BusTest
{
    [BusFact]
    public void The_thread_that_holds_the_lock_handles_the_events()
    {
        libusb_context* native = Context.DangerousGetContext();
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1);
        Assert.Equal(0, libusb_try_lock_events(native));
        nint context = (nint)native;
        int answer = -1, active = -1;
        var other = new Thread(() =>
        {
            answer = libusb_try_lock_events((libusb_context*)context);
            active = libusb_event_handler_active((libusb_context*)context);
        });
        other.Start();
        Assert.True(other.Join(Patience));
        Assert.Equal((1, 1), (answer, active));
        transfer.Submit();
        var moment = new timeval(TimeSpan.FromMilliseconds(100));
        while (transfer.IsSubmitted)
        {
            Assert.Equal(1, libusb_event_handling_ok(native));
            Assert.Equal(0, libusb_handle_events_locked(native, &moment));
        }

        libusb_unlock_events(native);
        Assert.Equal(0, libusb_event_handler_active(native));
        libusb_lock_events(native);
        libusb_unlock_events(native);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
    }

    [BusFact]
    public void A_waiting_thread_is_woken_when_the_lock_is_free()
    {
        libusb_context* native = Context.DangerousGetContext();
        nint context = (nint)native;
        libusb_lock_events(native);
        using var holdsWaiters = new ManualResetEventSlim();
        int woken = -1, late = -1;
        var waiter = new Thread(() =>
        {
            var patience = new timeval(Patience);
            var moment = new timeval(TimeSpan.FromMilliseconds(20));
            libusb_lock_event_waiters((libusb_context*)context);
            late = libusb_wait_for_event((libusb_context*)context, &moment);
            holdsWaiters.Set();
            woken = libusb_wait_for_event((libusb_context*)context, &patience);
            libusb_unlock_event_waiters((libusb_context*)context);
        });
        waiter.Start();
        Assert.True(holdsWaiters.Wait(Patience));
        libusb_lock_event_waiters(native); // succeeds only when the other thread waits, because a waiting thread releases the lock
        libusb_unlock_event_waiters(native);
        libusb_unlock_events(native); // wakes the waiting thread
        Assert.True(waiter.Join(Patience));
        Assert.Equal((1, 0), (late, woken));
    }

    [BusFact]
    public void Hotplug_keeps_its_user_data()
    {
        libusb_context* native = Context.DangerousGetContext();
        int registration, data = 0;
        Assert.Equal(0, libusb_hotplug_register_callback(
            native, 3, LIBUSB_HOTPLUG_NO_FLAGS, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, &Count, &data, &registration));
        Assert.True(libusb_hotplug_get_user_data(native, registration) == &data);
        Bus.Attach(new BulkLoopback());
        while (Volatile.Read(ref data) == 0)
            Context.HandleEvents(Patience);
        libusb_hotplug_deregister_callback(native, registration);
        Assert.True(libusb_hotplug_get_user_data(native, registration + 100) == null);
    }

    [System.Runtime.InteropServices.UnmanagedCallersOnly]
    private static int Count(libusb_context* context, libusb_device* device, libusb_hotplug_event what, void* data)
    {
        Interlocked.Increment(ref *(int*)data);
        return 0;
    }
}
