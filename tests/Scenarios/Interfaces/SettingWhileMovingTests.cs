using Native.LibUsb.Streaming;

#pragma warning disable CA2012 // calls that are refused are not awaited

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Tests programs that reset the device or change the alternate setting while transfers are in flight. The system then ends these transfers, and libusb reports
/// each of them as completed without data.
/// </summary>
public sealed class SettingWhileMovingTests : TwoSettingsTest
{
    [BusTheory]
    [InlineData(0x81, false)]
    [InlineData(0x81, true)]
    [InlineData(0x01, false)]
    [InlineData(0x01, true)]
    public async Task A_setting_is_not_changed_while_a_call_moves_data(byte address, bool awaits)
    {
        if (address == 0x01)
            Device.Endpoint(address).Hold();
        Task<int> moving = Move(address, awaits);
        Assert.True(Device.Endpoint(address).WaitForPending(1, Patience));
        InvalidOperationException busy = Assert.Throws<InvalidOperationException>(() => Interface.SetAlternateSetting(1));
        Assert.Contains($"endpoint 0x{address:x2}", busy.Message, StringComparison.Ordinal);
        Assert.Equal(0, Device.AlternateOf(0));
        if (address == 0x01)
            Device.Endpoint(address).Resume();
        else
            Device.Packets(address).Send(new byte[8]);
        Assert.Equal(8, await moving);
        Interface.SetAlternateSetting(1);
        Assert.Equal(1, Device.AlternateOf(0));
    }

    [BusTheory]
    [InlineData(0)]
    [InlineData(1)]
    public void Transfers_that_begin_while_a_setting_is_changed_are_refused(int setting)
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81), output = Interface.GetEndpoint(0x01);
        using UsbTransfer owned = input.CreateTransfer(), own = Handle.CreateTransfer(), late = Handle.CreateTransfer();
        owned.SetBulk(0x81, 8);
        own.SetBulk(0x01, 8);
        List<string> answers = [];
        Device.SettingSelected = () => Elsewhere(() =>
        {
            answers.Add(Try(() => { _ = input.ReadAsync(new byte[8]); }));
            answers.Add(Try(() => { _ = output.WriteAsync(new byte[8]); }));
            answers.Add(Try(owned.Submit));
            answers.Add(Try(own.Submit));
            answers.Add(Try(() =>
            {
                late.SetBulk(0x81, 8);
                _ = late.SubmitAsync();
            }));
            answers.Add(Try(() => input.CreateInputRing(new UsbRingOptions { TransferSize = 512 }).Dispose()));
            answers.Add(Try(() => input.Read(new byte[8], TimeSpan.FromMilliseconds(1))));
            answers.Add(Try(() => output.Write(new byte[8], TimeSpan.FromMilliseconds(1))));
        });
        Interface.SetAlternateSetting(setting);
        Device.SettingSelected = null;
        Assert.Equal(8, answers.Count);
        Assert.All(answers, static answer => Assert.Contains("setting", answer, StringComparison.Ordinal));
        Assert.Equal(0, Device.Endpoint(0x81).Submitted + Device.Endpoint(0x01).Submitted);

        Interface.SetAlternateSetting(0);
        Assert.Contains("is stale", Assert.Throws<InvalidOperationException>(owned.Submit).Message, StringComparison.Ordinal); // because its endpoint is
        late.SetBulk(0x81, 8);
        late.Submit(); // a refused transfer can be submitted later
        own.Submit();
        Device.Packets(0x81).Send([7]);
        Finish(late);
        Finish(own);
        Assert.Equal((1, 8), (late.ActualLength, own.ActualLength));
        Assert.Equal(8, Interface.GetEndpoint(0x01).Write(new byte[8], Patience));
    }

    [BusFact]
    public void After_a_missing_setting_was_refused_reads_and_transfers_still_work()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        using UsbTransfer transfer = input.CreateTransfer();
        transfer.SetBulk(0x81, 8);
        Assert.Equal(UsbError.NotFound, Interface.TrySetAlternateSetting(7));
        Device.Packets(0x81).Send([1], [2]);
        Assert.Equal(1, input.Read(new byte[8], Patience));
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(2, transfer.Data[0]);
    }

    [BusFact]
    public void A_refused_setting_leaves_a_transfer_that_resubmits_alone()
    {
        int called = 0;
        using UsbTransfer waiting = Handle.CreateTransfer(), again = Handle.CreateTransfer();
        waiting.SetBulk(0x01, 8);
        Device.Endpoint(0x01).Hold();
        waiting.Submit();
        again.SetBulk(0x81, 8, transfer =>
        {
            called++;
            transfer.Submit();
        });
        again.Submit();
        for (int i = 1; i <= 20; i++)
        {
            Device.Packets(0x81).Send([1]);
            Assert.Throws<InvalidOperationException>(() => Interface.SetAlternateSetting(1));
            HandleEventsUntil(() => called == i);
        }
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusTheory]
    [InlineData(0x81)]
    [InlineData(0x01)]
    public async Task A_reset_ends_synchronous_calls_with_an_exception(byte address)
    {
        Device.Endpoint(address).Hold();
        Task<int> moving = Move(address, awaits: false);
        Assert.True(Device.Endpoint(address).WaitForPending(1, Patience));
        Handle.Reset();
        InvalidOperationException reset = await Assert.ThrowsAsync<InvalidOperationException>(() => moving);
        Assert.Contains($"The device was reset after 0 of 8 bytes, and endpoint 0x{address:x2} is stale.", reset.Message, StringComparison.Ordinal);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public async Task A_reset_cancels_awaited_calls_and_transfers()
    {
        using UsbTransfer transfer = Handle.CreateTransfer();
        transfer.SetBulk(0x01, 8);
        Device.Endpoint(0x01).Hold();
        Task<int> reading = Move(0x81, awaits: true), writing = Move(0x01, awaits: true);
        transfer.Submit();
        Assert.True(Device.Endpoint(0x81).WaitForPending(1, Patience));
        Assert.True(Device.Endpoint(0x01).WaitForPending(2, Patience));
        Handle.Reset();
        await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading);
        await Assert.ThrowsAsync<UsbTransferCanceledException>(() => writing);
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Canceled, transfer.Status);
        Device.Endpoint(0x01).Resume();
        Assert.Equal(8, await Interface.GetEndpoint(0x01).WriteAsync(new byte[8]));
    }

    /// <summary>Reads or writes 8 bytes.</summary>
    private Task<int> Move(byte address, bool awaits)
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(address);
        byte[] buffer = new byte[8];
        if (endpoint.Direction == UsbDirection.In)
            return awaits ? endpoint.ReadAsync(buffer).AsTask() : Task.Run(() => endpoint.Read(buffer, Patience));
        return awaits ? endpoint.WriteAsync(buffer).AsTask() : Task.Run(() => endpoint.Write(buffer, Patience));
    }

    /// <summary>
    /// Runs code on another thread and waits until the code has ended. The calling thread holds the virtual device's lock, and the code must run without this
    /// lock.
    /// </summary>
    private static void Elsewhere(Action action)
    {
        var thread = new Thread(() => action()) { IsBackground = true };
        thread.Start();
        thread.Join(Patience);
    }

    private static string Try(Action action)
    {
        try
        {
            action();
            return "accepted";
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }
        catch (UsbException failed)
        {
            return failed.Error.ToString();
        }
    }
}
