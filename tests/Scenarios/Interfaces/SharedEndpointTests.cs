namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Tests a device whose descriptors list the same endpoint in two interfaces. Operations on one interface's claim must not affect the other interface's claim.
/// </summary>
public sealed class SharedEndpointTests : BusTest
{
    private readonly SharedEndpointDevice _device = new();
    private readonly UsbDeviceHandle _handle;
    private readonly UsbInterface _first, _second;

    public SharedEndpointTests()
    {
        Bus.Attach(_device);
        using UsbDevice found = Context.FindDevice(0x1209, 0x0001)!;
        _handle = found.Open();
        _first = _handle.ClaimInterface(0);
        _second = _handle.ClaimInterface(1);
    }

    [PreloadOnly("the kernel refuses such descriptors")]
    [BusFact]
    public async Task Disposing_one_claim_leaves_the_other_working()
    {
        UsbEndpoint input = _first.GetEndpoint(0x81);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(0x81, 8);
        Task<int> reading = input.ReadAsync(new byte[8]).AsTask();
        transfer.Submit();
        Assert.True(_device.Endpoint(0x81).WaitForPending(2, Patience));
        Task<int> other = _second.GetEndpoint(0x81).ReadAsync(new byte[8]).AsTask();
        Assert.True(_device.Endpoint(0x81).WaitForPending(3, Patience));
        Task closing = Task.Run(_second.Dispose);
        await Assert.ThrowsAsync<UsbTransferCanceledException>(() => other.WaitAsync(Patience));
        await closing.WaitAsync(Patience);
        Assert.False(reading.IsCompleted);
        Packets.Send([1], [2, 3], [4, 5, 6]);
        Assert.Equal(1, await reading.WaitAsync(Patience));
        Assert.Equal(3, input.Read(new byte[8], Patience));
        Finish(transfer);
        Assert.Equal((UsbTransferStatus.Completed, 2), (transfer.Status, transfer.ActualLength));
        transfer.Submit();

        _first.Dispose(); // the last claim that has the endpoint
        Assert.Equal(UsbTransferStatus.Canceled, transfer.Status);
        Assert.Throws<ObjectDisposedException>(transfer.Submit);
        using UsbInterface again = _handle.ClaimInterface(1);
        transfer.Submit();
        again.Dispose();
        Assert.Throws<ObjectDisposedException>(transfer.Submit);
    }

    [PreloadOnly("the kernel refuses such descriptors")]
    [BusFact]
    public async Task The_setting_of_one_interface_is_changed_while_the_other_reads()
    {
        Task<int> reading = _first.GetEndpoint(0x81).ReadAsync(new byte[8]).AsTask();
        Assert.True(_device.Endpoint(0x81).WaitForPending(1, Patience));
        Assert.Equal(UsbError.NotFound, _second.TrySetAlternateSetting(7)); // the request reached the system: the read of the other claim did not block it
        Assert.Throws<InvalidOperationException>(() => _first.SetAlternateSetting(0));
        Packets.Send([1, 2]);
        Assert.Equal(2, await reading.WaitAsync(Patience));
    }

    private TwoSettingsDevice.PacketEndpoint Packets => (TwoSettingsDevice.PacketEndpoint)_device.Endpoint(0x81);
}
