using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests the timeouts of transfers and of waits for events.</summary>
public sealed class TimeoutTrapTests : BusTest
{
    private readonly BulkLoopback _loopback = new();

    [BusFact]
    public void Bytes_that_arrive_before_the_timeout_are_kept()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        handle.At(BulkLoopback.OutAddress).Write(new byte[512].Select((_, i) => (byte)i).ToArray(), Patience);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 1024, timeout: TimeSpan.FromMilliseconds(30)); // a full packet does not end the transfer
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.TimedOut, transfer.Status);
        Assert.Equal(512, transfer.ActualLength);
        Assert.Equal(511 & 0xff, transfer.Data[511]);
    }

    [BusFact]
    public void The_longest_timeout_is_accepted_and_longer_ones_are_refused()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        var setup = new UsbControlSetup(0x80, 6, 0x0100, 0);
        foreach (TimeSpan time in new[] { TimeSpan.FromMilliseconds(int.MaxValue + 1L), TimeSpan.FromDays(25), TimeSpan.MaxValue, TimeSpan.FromTicks(-1), TimeSpan.MinValue })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(BulkLoopback.InAddress, 1, timeout: time));
            Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulkPinned(BulkLoopback.InAddress, new byte[1], timeout: time));
            Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetInterrupt(BulkLoopback.InAddress, 1, timeout: time));
            Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetControl(setup, 1, timeout: time));
            Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulkStream(BulkLoopback.InAddress, 1, 1, timeout: time));
            Assert.Throws<ArgumentOutOfRangeException>(() => handle.At(BulkLoopback.InAddress).TryRead(new byte[1], out _, time));
            Assert.Throws<ArgumentOutOfRangeException>(() => handle.TryControlRead(setup, new byte[1], out _, time));
            Assert.Throws<ArgumentOutOfRangeException>(() => handle.At(BulkLoopback.InAddress).TryRead(new byte[1], out _, time));
        }

        // If libusb treated the longest timeout as negative or as a time in the past, the transfer would end immediately.
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(int.MaxValue));
        transfer.Submit();
        for (int i = 0; i < 3; i++)
            Context.HandleEvents(TimeSpan.FromMilliseconds(20));
        Assert.True(transfer.IsSubmitted);
        handle.At(BulkLoopback.OutAddress).Write([1], TimeSpan.FromMilliseconds(int.MaxValue));
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
    }

    [BusFact]
    public void A_timeout_of_less_than_a_millisecond_does_not_become_infinite()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.FromMilliseconds(1), transfer.Timeout);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.TimedOut, transfer.Status);
        Assert.Equal(UsbError.Timeout, handle.At(BulkLoopback.InAddress).TryRead(new byte[512], out _, TimeSpan.FromTicks(1)));
    }

    [BusFact]
    public void Waits_that_are_longer_than_libusb_supports_are_shortened_to_its_maximum()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        int[] done = new int[1];
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => done[0] = 1);
        foreach (TimeSpan time in new[] { TimeSpan.MaxValue, TimeSpan.FromDays(25), Timeout.InfiniteTimeSpan })
        {
            transfer.Submit();
            while (transfer.IsSubmitted)
                Context.HandleEvents(time);
            done[0] = 0;
            transfer.Submit();
            while (transfer.IsSubmitted)
                Context.HandleEventsUntil(ref done[0], time);
        }
    }

    [BusFact]
    public void HandleEventsUntil_returns_when_the_timeout_expires()
    {
        int[] never = new int[1];
        long began = Environment.TickCount64;
        Context.HandleEventsUntil(ref never[0], TimeSpan.FromMilliseconds(50));
        Assert.InRange(Environment.TickCount64 - began, 30, (long)Patience.TotalMilliseconds);
        Context.HandleEventsUntil(ref never[0], TimeSpan.Zero);
        never[0] = 1;
        Context.HandleEventsUntil(ref never[0], Patience); // returns immediately, because the flag is set
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.HandleEventsUntil(ref never[0], TimeSpan.FromTicks(-1)));
    }

    // On this system, one of libusb's file descriptors is a timer. libusb therefore never requires the program to handle events at a certain time.
    [BusFact]
    public void With_a_timer_among_the_descriptors_there_is_no_next_timeout()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(30));
        transfer.Submit();
        Assert.True(Context.PollFdsHandleTimeouts);
        Assert.Null(Context.GetNextTimeout());
        Assert.Equal(3, Context.GetPollFds().Length); // libusb's event descriptor, its timer and the device node
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.TimedOut, transfer.Status);
    }
}
