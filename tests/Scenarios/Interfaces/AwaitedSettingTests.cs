#pragma warning disable CA2012 // calls that throw immediately are not awaited

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests that an alternate setting is activated without blocking a thread.</summary>
public sealed class AwaitedSettingTests : TwoSettingsTest
{
    [BusFact]
    public async Task A_setting_is_activated()
    {
        UsbEndpoint before = Interface.GetEndpoint(0x81);
        await Interface.SetAlternateSettingAsync(1);
        Assert.Equal((1, 1), (Device.AlternateOf(0), Interface.ActiveSetting.Number));
        Assert.True(before.IsStale);
        Assert.Equal(0x83, Interface.Endpoints[0].Address);
        Assert.Equal(UsbError.Success, await Interface.TrySetAlternateSettingAsync(0));
        Assert.Equal((0, 0), (Device.AlternateOf(0), Interface.ActiveSetting.Number));
    }

    [BusFact]
    public async Task The_calling_thread_does_not_wait_for_the_device()
    {
        using var answer = new ManualResetEventSlim();
        Device.SettingSelected = () => answer.Wait(Patience);
        ValueTask setting = Interface.SetAlternateSettingAsync(1);
        Assert.False(setting.IsCompleted);
        answer.Set();
        await setting;
        Device.SettingSelected = null; // a system may select a setting when it closes the device
    }

    [BusFact]
    public async Task A_callback_may_activate_a_setting()
    {
        using UsbTransfer transfer = Interface.GetEndpoint(0x81).CreateTransfer();
        Task? setting = null;
        transfer.SetBulk(0x81, 8, _ => setting = Interface.SetAlternateSettingAsync(1).AsTask());
        transfer.Submit();
        Device.Packets(0x81).Send([1]);
        HandleEventsUntil(() => setting is not null);
        await setting!;
        Assert.Equal(1, Device.AlternateOf(0));
    }

    [BusFact]
    public async Task A_setting_that_is_not_there_is_an_error_and_a_number_out_of_range_is_refused()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        int requests = 0;
        Device.SettingSelected = () => requests++;
        foreach (int refused in (int[])[-1, 256])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = Interface.SetAlternateSettingAsync(refused); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = Interface.TrySetAlternateSettingAsync(refused); });
        }

        UsbException missing = await Assert.ThrowsAsync<UsbException>(async () => await Interface.SetAlternateSettingAsync(2));
        Assert.Equal((UsbError.NotFound, "activate alternate setting 2 of interface 0"), (missing.Error, missing.Operation));
        Assert.Equal("Alternate settings of interface 0: 0, 1.", missing.Hint);
        Assert.Equal(UsbError.NotFound, await Interface.TrySetAlternateSettingAsync(2));
        Assert.Equal((0, false), (requests, endpoint.IsStale));
    }

    [BusFact]
    public async Task A_setting_is_not_changed_while_a_call_moves_data()
    {
        Task<int> reading = Interface.GetEndpoint(0x81).ReadAsync(new byte[8]).AsTask();
        InvalidOperationException busy = Assert.Throws<InvalidOperationException>(() => { _ = Interface.SetAlternateSettingAsync(1); });
        Assert.Contains("endpoint 0x81 is active", busy.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => { _ = Interface.TrySetAlternateSettingAsync(1); });
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, await reading);
        Assert.Equal(0, Device.AlternateOf(0));
        await Interface.SetAlternateSettingAsync(1);
    }

    [BusFact]
    public async Task Closing_the_handle_refuses_a_request_that_has_not_begun()
    {
        using UsbInterface second = Handle.ClaimInterface(1);
        using ManualResetEventSlim request = new(), answer = new();
        Device.SettingSelected = () =>
        {
            request.Set();
            answer.Wait(Patience);
        };
        Task first = Interface.SetAlternateSettingAsync(1).AsTask();
        Assert.True(request.Wait(Patience));
        Task<UsbError> tried = second.TrySetAlternateSettingAsync(0).AsTask(); // waits for the first one
        Task thrown = second.SetAlternateSettingAsync(0).AsTask();
        Task closing = Handle.DisposeAsync().AsTask();
        answer.Set();
        await first;
        Device.SettingSelected = null; // a system may select a setting when it closes the device
        Assert.Equal(UsbError.Closed, await tried);
        UsbTransferCanceledException canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => thrown);
        Assert.Contains("setting 0 of interface 1 was not activated", canceled.Message, StringComparison.Ordinal);
        await closing;
    }

    [BusFact]
    public async Task Disposing_the_interface_refuses_a_request_that_waits_for_another_one()
    {
        UsbInterface second = Handle.ClaimInterface(1);
        UsbEndpoint endpoint = second.GetEndpoint(0x85);
        int requests = 0;
        using ManualResetEventSlim request = new(), answer = new();
        Device.SettingSelected = () =>
        {
            requests++;
            request.Set();
            answer.Wait(Patience);
        };
        Task first = Interface.SetAlternateSettingAsync(1).AsTask();
        Assert.True(request.Wait(Patience));
        Exception? refused = null;
        var waiting = new Thread(() => refused = Record.Exception(() => second.SetAlternateSetting(0)));
        waiting.Start();
        Assert.True(SpinWait.SpinUntil(() => (waiting.ThreadState & ThreadState.WaitSleepJoin) != 0, Patience));
        var disposing = new Thread(second.Dispose);
        disposing.Start();
        Assert.True(SpinWait.SpinUntil(() => Record.Exception(() => endpoint.SupportsRawIO) is ObjectDisposedException, Patience));
        Assert.Throws<ObjectDisposedException>(() => { _ = second.SetAlternateSettingAsync(0); });
        answer.Set();
        await first;
        Device.SettingSelected = () => requests++;
        waiting.Join();
        disposing.Join();
        Assert.IsType<ObjectDisposedException>(refused);
        Assert.Equal(1, requests);
    }

    [BusFact]
    public async Task Concurrent_requests_are_made_one_after_another()
    {
        UsbError[] results = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Interface.TrySetAlternateSettingAsync(number % 2).AsTask()));
        Assert.All(results, static result => Assert.Equal(UsbError.Success, result));
        Assert.Equal(Device.AlternateOf(0), Interface.ActiveSetting.Number);
        Assert.Equal(Interface.ActiveSetting.Number == 0 ? 0x81 : 0x83, Interface.Endpoints[0].Address);
    }

    [BusFact]
    public async Task An_unplugged_device_is_an_error()
    {
        Bus.Detach(Device);
        Assert.Equal(UsbError.NoDevice, await Interface.TrySetAlternateSettingAsync(1));
        UsbException gone = await Assert.ThrowsAsync<UsbException>(async () => await Interface.SetAlternateSettingAsync(1));
        Assert.Equal((UsbError.NoDevice, "activate alternate setting 1 of interface 0"), (gone.Error, gone.Operation));
    }

    [BusFact]
    public async Task A_callback_of_a_closing_interface_makes_no_request()
    {
        using UsbTransfer transfer = Interface.GetEndpoint(0x81).CreateTransfer();
        int requests = 0;
        Device.SettingSelected = () => requests++;
        Task<UsbError>? tried = null;
        Task? thrown = null;
        transfer.SetBulk(0x81, 8, _ =>
        {
            tried = Interface.TrySetAlternateSettingAsync(1).AsTask();
            thrown = Interface.SetAlternateSettingAsync(1).AsTask();
        });
        transfer.Submit();
        await Interface.DisposeAsync();
        Assert.Equal(UsbError.Closed, await tried!);
        await Assert.ThrowsAsync<UsbTransferCanceledException>(() => thrown!);
        Assert.Equal(0, requests);
    }
}
