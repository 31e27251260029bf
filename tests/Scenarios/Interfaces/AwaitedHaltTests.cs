#pragma warning disable CA2012 // calls that throw immediately are not awaited

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests that a halt is cleared without blocking a thread.</summary>
public sealed class AwaitedHaltTests : TwoSettingsTest
{
    [BusFact]
    public async Task A_halt_is_cleared()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        Device.Endpoint(0x81).Halt();
        UsbException halted = await Assert.ThrowsAsync<UsbException>(async () => await endpoint.ReadAsync(new byte[8], Patience));
        Assert.Equal(UsbError.Pipe, halted.Error);
        await endpoint.ClearHaltAsync();
        Assert.False(Device.Endpoint(0x81).IsHalted);
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, await endpoint.ReadAsync(new byte[8], Patience));
        Device.Endpoint(0x81).Halt();
        Assert.Equal(UsbError.Success, await endpoint.TryClearHaltAsync());
        Assert.False(Device.Endpoint(0x81).IsHalted);
    }

    [BusFact]
    public async Task The_calling_thread_does_not_wait_for_the_device()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        using var answer = new ManualResetEventSlim();
        Device.Packets(0x81).HaltCleared = () => answer.Wait(Patience);
        ValueTask clearing = endpoint.ClearHaltAsync();
        Assert.False(clearing.IsCompleted);
        answer.Set();
        await clearing;
    }

    [BusFact]
    public async Task A_callback_may_clear_a_halt()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        using UsbTransfer transfer = endpoint.CreateTransfer();
        Task? clearing = null;
        Device.Endpoint(0x81).Halt();
        transfer.SetBulk(0x81, 8, _ => clearing = endpoint.ClearHaltAsync().AsTask());
        transfer.Submit();
        HandleEventsUntil(() => clearing is not null);
        await clearing!;
        Assert.False(Device.Endpoint(0x81).IsHalted);
    }

    [BusFact]
    public async Task An_unplugged_device_is_an_error()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        Bus.Detach(Device);
        Assert.Equal(UsbError.NoDevice, await endpoint.TryClearHaltAsync());
        UsbException gone = await Assert.ThrowsAsync<UsbException>(async () => await endpoint.ClearHaltAsync());
        Assert.Equal((UsbError.NoDevice, "clear the halt of endpoint 0x81"), (gone.Error, gone.Operation));
    }

    [BusFact]
    public async Task A_request_that_has_begun_succeeds_while_the_handle_closes()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        using ManualResetEventSlim request = new(), answer = new();
        Device.Packets(0x81).HaltCleared = () =>
        {
            request.Set();
            answer.Wait(Patience);
        };
        Task<UsbError> clearing = endpoint.TryClearHaltAsync().AsTask();
        Assert.True(request.Wait(Patience));
        Task closing = Handle.DisposeAsync().AsTask();
        Assert.Throws<ObjectDisposedException>(() => { _ = endpoint.TryClearHaltAsync(); });
        answer.Set();
        await closing;
        Assert.Equal(UsbError.Success, await clearing);
        Assert.Throws<ObjectDisposedException>(() => { _ = endpoint.ClearHaltAsync(); });
    }

    [BusFact]
    public async Task A_callback_of_a_closing_interface_makes_no_request()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        using UsbTransfer transfer = endpoint.CreateTransfer();
        int requests = 0;
        Device.Packets(0x81).HaltCleared = () => requests++;
        Task<UsbError>? tried = null;
        Task? thrown = null;
        transfer.SetBulk(0x81, 8, _ =>
        {
            tried = endpoint.TryClearHaltAsync().AsTask();
            thrown = endpoint.ClearHaltAsync().AsTask();
        });
        transfer.Submit();
        await Interface.DisposeAsync();
        Assert.Equal(UsbError.Closed, await tried!);
        UsbTransferCanceledException canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => thrown!);
        Assert.Contains("halt of endpoint 0x81", canceled.Message, StringComparison.Ordinal);
        Assert.Equal(0, requests);
    }
}
