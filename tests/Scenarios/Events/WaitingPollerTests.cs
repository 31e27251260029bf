using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests a poller that waits while another thread opens a device, uses the device and closes it.</summary>
public sealed class WaitingPollerTests : BusTest
{
    [BusFact]
    public void Devices_are_opened_and_closed_on_another_thread_while_the_poller_waits()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        using var poller = new UsbPoller(Context, new UsbSystemPoller());
        int before = Context.GetPollFds().Length;
        bool stop = false;
        Exception? failure = null;
        var polling = new Thread(() => failure = Record.Exception(() =>
        {
            while (!Volatile.Read(ref stop))
                poller.Poll([], timeout: null); // only an opened device, its events and the interrupt at the end wake this thread
        }));
        polling.Start();
        for (int round = 0; round < 50; round++)
        {
            using var called = new ManualResetEventSlim();
            Thread? thread = null;
            using UsbDeviceHandle handle = Open(loopback);
            using UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
            {
                thread = Thread.CurrentThread;
                called.Set();
            });
            transfer.Submit();
            Assert.True(called.Wait(Patience), $"round {round}: the poller does not watch the device");
            Assert.Same(polling, thread);
            Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        }

        Volatile.Write(ref stop, true);
        Context.InterruptEventHandlers();
        Assert.True(polling.Join(Patience));
        Assert.Null(failure);
        Assert.Equal(before, Context.GetPollFds().Length);
    }
}
