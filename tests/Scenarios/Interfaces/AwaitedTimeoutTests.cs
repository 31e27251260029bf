using Native.LibUsb.Testing;

#pragma warning disable CA2012 // some calls are not awaited on purpose

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests the time limits of awaited reads, writes and control requests.</summary>
public sealed class AwaitedTimeoutTests : TwoSettingsTest
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(20);

    [BusTheory]
    [InlineData(0, 0x81, 0x01)] // bulk
    [InlineData(1, 0x83, 0x03)] // interrupt
    public async Task Reads_and_writes_end_at_their_limit(int setting, byte inAddress, byte outAddress)
    {
        Interface.SetAlternateSetting(setting);
        UsbEndpoint input = Interface.GetEndpoint(inAddress), output = Interface.GetEndpoint(outAddress);
        Assert.Equal((UsbError.Timeout, 0), await FailureAsync(input.ReadAsync(new byte[64], s_short)));
        Device.Endpoint(outAddress).Hold();
        Assert.Equal((UsbError.Timeout, 0), await FailureAsync(output.WriteAsync(new byte[64], s_short)));
        Device.Endpoint(outAddress).Resume();
        Assert.Equal(1, Device.Endpoint(inAddress).Unlinked);
        Assert.Equal(1, Device.Endpoint(outAddress).Unlinked);
        Device.Packets(inAddress).Send([5], [6]);
        Assert.Equal(1, await input.ReadAsync(new byte[64], Patience));
        Assert.Equal(1, await input.ReadAsync(new byte[64], Timeout.InfiniteTimeSpan));
        Assert.Equal(3, await output.WriteAsync(new byte[3], Patience));
    }

    [BusFact]
    public async Task Bytes_that_moved_before_the_limit_are_counted()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        byte[] sent = new byte[512], buffer = new byte[1024];
        new Random(1).NextBytes(sent);
        handle.At(BulkLoopback.OutAddress).Write(sent, Patience);
        Assert.Equal((UsbError.Timeout, 512), await FailureAsync(handle.At(BulkLoopback.InAddress).ReadAsync(buffer, s_short)));
        Assert.Equal(sent, buffer[..512]);
    }

    [BusFact]
    public async Task The_next_call_does_not_keep_the_limit_of_the_last_one()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        Assert.Equal((UsbError.Timeout, 0), await FailureAsync(input.ReadAsync(new byte[64], s_short))); // the next call uses this transfer again
        ValueTask<int> unlimited = input.ReadAsync(new byte[64]);
        Assert.Equal((UsbError.Timeout, 0), await FailureAsync(input.ReadAsync(new byte[64], s_short * 10)));
        Assert.False(unlimited.IsCompleted);
        Device.Packets(0x81).Send([1, 2]);
        Assert.Equal(2, await unlimited);
    }

    [BusFact]
    public async Task Control_requests_end_at_their_limit()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        var read = new UsbControlSetup(0xc0, 1, 2, 3);
        var write = new UsbControlSetup(0x40, 1, 2, 3);
        byte[] buffer = new byte[8];
        Device.ControlEndpoint.Hold();
        foreach (Func<ValueTask<int>> request in (Func<ValueTask<int>>[])[
            () => Handle.ControlReadAsync(read, buffer, s_short), () => Handle.ControlWriteAsync(write, buffer, s_short),
            () => Interface.ControlReadAsync(UsbRequestKind.Class, 1, 2, buffer, timeout: s_short),
            () => Interface.ControlWriteAsync(UsbRequestKind.Class, 1, 2, buffer, timeout: s_short),
            () => endpoint.ControlReadAsync(UsbRequestKind.Class, 1, 2, buffer, s_short), () => endpoint.ControlWriteAsync(UsbRequestKind.Class, 1, 2, buffer, s_short)])
        {
            Assert.Equal((UsbError.Timeout, 0), await FailureAsync(request()));
        }

        Device.ControlEndpoint.Resume();
        Assert.Equal(3, await Handle.ControlReadAsync(read, buffer, Patience));
    }

    [BusFact]
    public async Task A_token_cancels_before_the_limit()
    {
        using var cancellation = new CancellationTokenSource();
        ValueTask<int> reading = Interface.GetEndpoint(0x81).ReadAsync(new byte[8], Patience, cancellation.Token);
        Assert.True(Device.Endpoint(0x81).WaitForPending(1, Patience));
        await cancellation.CancelAsync();
        UsbTransferCanceledException canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await reading);
        Assert.Equal(cancellation.Token, canceled.CancellationToken);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Closing_and_unplugging_end_a_call_before_its_limit(bool unplug)
    {
        Task<int> reading = Interface.GetEndpoint(0x81).ReadAsync(new byte[8], Patience * 10).AsTask();
        Device.ControlEndpoint.Hold();
        Task<int> request = Handle.ControlReadAsync(new UsbControlSetup(0xc0, 1, 2, 3), new byte[8], Patience * 10).AsTask();
        Assert.True(Device.Endpoint(0x81).WaitForPending(1, Patience));
        Assert.True(Device.ControlEndpoint.WaitForPending(1, Patience));
        if (unplug)
            Bus.Detach(Device);
        else
            await Handle.DisposeAsync();
        foreach (Task<int> call in (Task<int>[])[reading, request])
        {
            Exception? ended = await Record.ExceptionAsync(() => call.WaitAsync(Patience));
            if (unplug)
                Assert.Equal(UsbError.NoDevice, Assert.IsType<UsbException>(ended).Error);
            else
                Assert.IsType<UsbTransferCanceledException>(ended);
        }
    }

    [BusFact]
    public void A_limit_of_zero_and_one_out_of_range_are_refused()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81), output = Interface.GetEndpoint(0x01);
        var canceled = new CancellationToken(canceled: true); // with this token, no call submits a transfer, but wrong arguments must still throw
        foreach (TimeSpan refused in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMilliseconds(-2), TimeSpan.FromDays(25)])
        {
            foreach (CancellationToken token in (CancellationToken[])[default, canceled])
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => { _ = input.ReadAsync(new byte[8], refused, token); });
                Assert.Throws<ArgumentOutOfRangeException>(() => { _ = output.WriteAsync(new byte[8], refused, cancellationToken: token); });
                Assert.Throws<ArgumentOutOfRangeException>(() => { _ = Handle.ControlReadAsync(new UsbControlSetup(0xc0, 1, 2, 3), new byte[8], refused, token); });
                Assert.Throws<ArgumentOutOfRangeException>(() => { _ = Handle.ControlWriteAsync(new UsbControlSetup(0x40, 1, 2, 3), new byte[8], refused, token); });
            }
        }

        Assert.Equal(0, Device.Endpoint(0x81).Submitted + Device.Endpoint(0x01).Submitted);
        Assert.Equal(0, Device.LastSetup.RequestType);
    }

    [BusFact]
    public async Task Calls_with_a_limit_allocate_nothing()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        byte[] buffer = new byte[8];
        byte[][] packet = [[1]];
        var meter = new AllocationMeter();
        while (meter.Ended < AllocationMeter.Stretches)
        {
            for (int round = 0; round < Rounds.Of(500); round++)
            {
                int begun = Environment.CurrentManagedThreadId;
                meter.Resume();
                ValueTask<int> reading = input.ReadAsync(buffer, Patience);
                meter.Pause();
                Device.Packets(0x81).Send(packet);
                while (!reading.IsCompleted)
                    Thread.Yield();
                meter.Resume();
                int received = await reading; // does not wait, so this thread takes the result
                meter.Pause();
                Assert.Equal((1, begun), (received, Environment.CurrentManagedThreadId));
            }

            meter.EndStretch();
        }

        Assert.Equal(0, meter.Least);
    }

    private static async Task<(UsbError Error, int BytesTransferred)> FailureAsync(ValueTask<int> call)
    {
        UsbException failure = await Assert.ThrowsAsync<UsbException>(async () => await call);
        return (failure.Error, failure.BytesTransferred);
    }
}
