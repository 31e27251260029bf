using Native.LibUsb.Interop;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class InterruptTests
{
    [BusFact]
    public void Reports_come_when_the_device_has_one()
    {
        using Watchdog watchdog = new();
        InterruptSource source = new(new InterruptSourceOptions { QueueLength = 2 });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source);
        using RawTransfer transfer = RawTransfer.Interrupt(host, handle, InterruptSource.EndpointAddress, 8).Submit();
        Assert.True(source.Endpoint(InterruptSource.EndpointAddress).WaitForPending(1, TimeSpan.FromSeconds(30)));
        host.Poll();
        Assert.False(transfer.IsDone);
        source.Report([1, 2, 3]);
        transfer.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 3);
        source.Report([4]);
        source.Report([5]);
        source.Report([6]);
        Assert.Equal(1, source.LostReports);
        transfer.Submit().Wait();
        Assert.Equal(5, transfer.Received[0]);
        transfer.Submit().Wait();
        Assert.Equal(6, transfer.Received[0]);
    }

    [BusFact]
    public void Periodic_reports_count_up()
    {
        using Watchdog watchdog = new();
        InterruptSource source = new(new InterruptSourceOptions { PeriodMilliseconds = 2, ReportSize = 16 });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source);
        using RawTransfer transfer = RawTransfer.Interrupt(host, handle, InterruptSource.EndpointAddress, 16);
        NumberedPatternChecker checker = new();
        long lostBefore = 0;
        for (int i = 0; i < 20; i++)
        {
            // The device keeps running. Reports that are lost after this line may precede or follow the next received report.
            lostBefore = source.LostReports;
            transfer.Submit().Wait();
            checker.AddPacket(transfer.Received);
        }
        Assert.Equal(0, checker.MismatchedBytes + checker.OutOfOrder);
        Assert.InRange((long)checker.NextNumber - 20, lostBefore, source.LostReports);
    }
}
