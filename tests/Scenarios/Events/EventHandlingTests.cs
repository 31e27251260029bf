using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests the methods that handle events, and the event thread.</summary>
public sealed class EventHandlingTests : BusTest
{
    [BusFact]
    public void An_interrupt_that_comes_first_is_not_lost()
    {
        Context.InterruptEventHandlers();
        Context.HandleEvents(); // without the interrupt, this call would wait for 60 seconds, and the watchdog would end the test
    }

    [BusFact]
    public void An_interrupt_wakes_a_thread_that_waits()
    {
        var waiter = new Thread(() => Context.HandleEvents());
        waiter.Start();
        Context.InterruptEventHandlers();
        Assert.True(waiter.Join(Patience));
    }

    [BusFact]
    public void HandleEventsUntil_returns_when_a_callback_sets_the_flag()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        var flag = new int[1];
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => flag[0] = 1);
        transfer.Submit();
        while (flag[0] == 0)
            Context.HandleEventsUntil(ref flag[0]);
        Assert.False(transfer.IsSubmitted);
        Context.HandleEventsUntil(ref flag[0]); // returns immediately, because the flag is set
    }

    [BusFact]
    public void HandleEvents_refuses_times_it_cannot_wait()
    {
        Assert.Equal("timeout", Assert.Throws<ArgumentOutOfRangeException>(() => Context.HandleEvents(TimeSpan.FromMilliseconds(-2))).ParamName);
    }

    [BusFact]
    public void The_event_thread_runs_callbacks_until_it_is_disposed()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbEventThread events = Context.StartEventThread(new UsbEventThreadOptions { Name = "events of the test" });
        Assert.True(events.IsRunning);
        Assert.Throws<InvalidOperationException>(() => Context.StartEventThread());
        using var called = new ManualResetEventSlim();
        string? thread = null;
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            thread = Thread.CurrentThread.Name;
            called.Set();
        });
        transfer.Submit();
        Assert.True(called.Wait(Patience));
        Assert.Equal("events of the test", thread);
        events.Dispose();
        events.Dispose();
        Assert.False(events.IsRunning);
        Assert.Null(events.Failure);

        called.Reset();
        using UsbEventThread second = Context.StartEventThread();
        transfer.Submit();
        Assert.True(called.Wait(Patience));
    }

    [BusFact]
    public void The_event_thread_may_be_disposed_in_a_callback()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbEventThread events = Context.StartEventThread();
        using var called = new ManualResetEventSlim();
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            events.Dispose();
            called.Set();
        });
        transfer.Submit();
        Assert.True(called.Wait(Patience));
        events.Dispose();
        Assert.False(events.IsRunning);
    }

    [BusFact]
    public void Starting_and_stopping_the_event_thread_never_hangs()
    {
        for (int i = 0; i < 200; i++)
            Context.StartEventThread().Dispose();
    }

    [BusFact]
    public void A_callback_of_one_context_may_use_another()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using var other = new UsbContext();
        int devices = 0;
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            using UsbDevice device = other.FindDevice(0x1209, 0x0011)!;
            using UsbDeviceHandle opened = device.Open();
            other.HandleEvents(TimeSpan.Zero);
            devices++;
        });
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(1, devices);
    }
}
