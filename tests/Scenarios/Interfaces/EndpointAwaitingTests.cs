using Native.LibUsb.Testing;

#pragma warning disable CA2012 // some calls are not awaited on purpose

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests awaited reads, writes and control requests: their results, their order and their cancellation.</summary>
public sealed class EndpointAwaitingTests : TwoSettingsTest
{
    private readonly BulkLoopback _loopback = new();

    [BusTheory]
    [InlineData(0, 0x81, 0x01)] // bulk
    [InlineData(1, 0x83, 0x03)] // interrupt
    public async Task Bytes_are_read_and_written(int setting, byte inAddress, byte outAddress)
    {
        Interface.SetAlternateSetting(setting);
        UsbEndpoint input = Interface.GetEndpoint(inAddress), output = Interface.GetEndpoint(outAddress);
        byte[] buffer = new byte[64];
        ValueTask<int> reading = input.ReadAsync(buffer);
        Assert.False(reading.IsCompleted);
        Device.Packets(inAddress).Send([5, 6]);
        Assert.Equal(2, await reading);
        Assert.Equal(new byte[] { 5, 6 }, buffer[..2]);
        Assert.Equal(3, await output.WriteAsync(new byte[3]));
        Assert.Equal(0, await output.WriteAsync(ReadOnlyMemory<byte>.Empty));
        Assert.Equal("3 0", string.Join(' ', Device.Packets(outAddress).Received.Select(static one => one.Length)));
    }

    [BusFact]
    public async Task A_message_can_end_with_a_zero_length_packet()
    {
        UsbEndpoint output = Interface.GetEndpoint(0x01);
        Assert.Equal(512, await output.WriteAsync(new byte[512], endOfMessage: true));
        Assert.Equal(512, await output.WriteAsync(new byte[512], endOfMessage: false));
        Assert.Equal(100, await output.WriteAsync(new byte[100], endOfMessage: true));
        Assert.Equal(512, await output.WriteAsync(new byte[512]));
        Assert.Equal("512 True, 512 False, 100 False, 512 False", string.Join(", ", Device.Packets(0x01).Received.Select(static one => $"{one.Length} {one.ZeroPacket}")));
    }

    [BusFact]
    public async Task Overlapping_calls_complete_in_order()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        byte[][] buffers = [.. Enumerable.Range(0, 100).Select(static _ => new byte[512])]; // more transfers than an endpoint keeps for the next calls
        ValueTask<int>[] reads = [.. buffers.Select(buffer => input.ReadAsync(buffer))];
        for (int i = 0; i < reads.Length; i++)
            Device.Packets(0x81).Send(new byte[i + 1]);
        for (int i = 0; i < reads.Length; i++)
            Assert.Equal(i + 1, await reads[i]);
        ValueTask<int> again = input.ReadAsync(buffers[0]);
        Device.Packets(0x81).Send([9]);
        Assert.Equal(1, await again);
        Assert.Equal(9, buffers[0][0]);
    }

    [BusFact]
    public async Task A_token_cancels_natively_and_the_exception_counts_the_bytes()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        output.Write(new byte[512], Patience);
        using var cancellation = new CancellationTokenSource();
        byte[] buffer = new byte[1024];
        ValueTask<int> reading = input.ReadAsync(buffer, cancellation.Token);
        Assert.True(_loopback.WaitUntil(() => _loopback.Waiting == 0, Patience)); // the packet is in the transfer
        await cancellation.CancelAsync();
        UsbTransferCanceledException canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await reading);
        Assert.Equal(512, canceled.BytesTransferred);
        Assert.Equal(cancellation.Token, canceled.CancellationToken);
        Assert.Equal(1, _loopback.Endpoint(BulkLoopback.InAddress).Unlinked);

        output.Write([1, 2, 3], Patience);
        Assert.Equal(3, await input.ReadAsync(buffer));
    }

    [BusFact]
    public async Task A_token_that_is_cancelled_already_submits_nothing()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        var canceled = new CancellationToken(canceled: true);
        Task<int> reading = input.ReadAsync(new byte[8], canceled).AsTask();
        Assert.True(reading.IsCanceled);
        UsbTransferCanceledException exception = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading);
        Assert.Equal(0, exception.BytesTransferred);
        Assert.Equal(canceled, exception.CancellationToken);
        await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await Interface.GetEndpoint(0x01).WriteAsync(new byte[8], canceled));
        await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await Handle.ControlReadAsync(new UsbControlSetup(0xc0, 1, 2, 3), new byte[8], cancellationToken: canceled));
        await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await Handle.ControlWriteAsync(new UsbControlSetup(0x40, 1, 2, 3), new byte[8], cancellationToken: canceled));
        Assert.Equal(0, Device.Endpoint(0x81).Submitted + Device.Endpoint(0x01).Submitted);
        Assert.Equal(0, Device.LastSetup.RequestType);
    }

    [BusFact]
    public async Task Failures_are_thrown_with_their_cause()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        output.Write(new byte[1024], Patience);
        UsbException overflow = await Assert.ThrowsAsync<UsbException>(async () => await input.ReadAsync(new byte[700]));
        Assert.Equal(UsbError.Overflow, overflow.Error);
        Assert.Contains("multiple of the endpoint's packet size, 512 bytes: read 1024 bytes and not 700", overflow.Hint, StringComparison.Ordinal);
        _loopback.Endpoint(BulkLoopback.InAddress).FailNext(UrbStatus.Protocol, actualLength: 512);
        output.Write(new byte[1024], Patience);
        UsbException failure = await Assert.ThrowsAsync<UsbException>(async () => await input.ReadAsync(new byte[1024]));
        Assert.Equal((UsbError.IO, 512), (failure.Error, failure.BytesTransferred));
        _loopback.Endpoint(BulkLoopback.InAddress).Halt();
        Assert.Equal(UsbError.Pipe, (await Assert.ThrowsAsync<UsbException>(async () => await input.ReadAsync(new byte[1024]))).Error);
        input.ClearHalt();
        Bus.Detach(_loopback);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await input.ReadAsync(new byte[1024]))).Error);
    }

    [BusFact]
    public async Task A_result_is_taken_once()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        Device.Packets(0x81).Send([1], [2]);
        ValueTask<int> reading = input.ReadAsync(new byte[8]);
        Assert.Equal(1, await reading);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await reading);
        Assert.Equal(1, await input.ReadAsync(new byte[8]));
    }

    [BusFact]
    public async Task Control_requests_are_awaited_and_cancelled()
    {
        byte[] buffer = new byte[8];
        Assert.Equal(3, await Handle.ControlReadAsync(new UsbControlSetup(0xc0, 1, 2, 3), buffer));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..3]);
        Assert.Equal(new byte[5], buffer[3..]);
        Assert.Equal(new SetupPacket(0xc0, 1, 2, 3, 8), Device.LastSetup);
        byte[] data = [4, 5];
        Device.ControlEndpoint.Hold();
        ValueTask<int> writing = Handle.ControlWriteAsync(new UsbControlSetup(0x40, 6, 7, 8), data);
        data[0] = 99; // the call has copied the data
        Assert.True(Device.ControlEndpoint.WaitForPending(1, Patience));
        Device.ControlEndpoint.Resume();
        Assert.Equal(2, await writing);
        Assert.Equal(new byte[] { 4, 5 }, Device.LastData);

        Device.ControlEndpoint.Hold();
        using var cancellation = new CancellationTokenSource();
        ValueTask<int> reading = Handle.ControlReadAsync(new UsbControlSetup(0xc0, 9, 2, 3), buffer, cancellationToken: cancellation.Token);
        Assert.True(Device.ControlEndpoint.WaitForPending(1, Patience));
        await cancellation.CancelAsync();
        UsbTransferCanceledException canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await reading);
        Assert.Equal(cancellation.Token, canceled.CancellationToken);
        Device.ControlEndpoint.Resume();
        Assert.Equal(3, await Handle.ControlReadAsync(new UsbControlSetup(0xc0, 10, 2, 3), buffer));

        Assert.Equal("setup", Assert.Throws<ArgumentException>(() => { _ = Handle.ControlReadAsync(new UsbControlSetup(0x40, 1, 2, 3), buffer); }).ParamName);
        Assert.Equal("setup", Assert.Throws<ArgumentException>(() => { _ = Handle.ControlWriteAsync(new UsbControlSetup(0xc0, 1, 2, 3), buffer); }).ParamName);
        Assert.Equal("buffer", Assert.Throws<ArgumentException>(() => { _ = Handle.ControlReadAsync(new UsbControlSetup(0xc0, 1, 2, 3), new byte[65536]); }).ParamName);
        Assert.Equal("data", Assert.Throws<ArgumentException>(() => { _ = Handle.ControlWriteAsync(new UsbControlSetup(0x40, 1, 2, 3), new byte[65536]); }).ParamName);
    }

    [BusFact]
    public async Task A_read_outlives_the_next_setting_and_its_transfer_goes_with_the_endpoint()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        Device.Packets(0x81).Send([1]);
        ValueTask<int> reading = input.ReadAsync(new byte[8]);
        Assert.True(Device.Endpoint(0x81).WaitForCompleted(1, Patience));
        Assert.True(SpinWait.SpinUntil(() => reading.IsCompleted, Patience));
        Interface.SetAlternateSetting(1); // the result is not taken yet
        Assert.Equal(1, await reading);
        Assert.Throws<InvalidOperationException>(() => { _ = input.ReadAsync(new byte[8]); });
    }
}
