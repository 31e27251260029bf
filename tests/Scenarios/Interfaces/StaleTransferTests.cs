using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests that a program cannot submit a transfer of an endpoint after the endpoint has become stale.</summary>
public sealed class StaleTransferTests : TwoSettingsTest
{
    [BusFact]
    public void A_transfer_is_not_submitted_after_its_setting_changed()
    {
        using UsbTransfer transfer = Interface.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 64);
        Interface.SetAlternateSetting(1);
        AssertStale(transfer);
        Interface.SetAlternateSetting(0);
        AssertStale(transfer); // the old setting returns, and the transfer and its endpoint stay stale
        transfer.SetBulk(0x81, 64); // a new configuration of the transfer does not help
        AssertStale(transfer);
        Assert.Equal(0, Device.Endpoint(0x81).Submitted);
    }

    [BusFact]
    public void A_transfer_of_another_claim_of_the_interface_is_stale_too()
    {
        using UsbInterface second = Handle.ClaimInterface(0);
        using UsbTransfer transfer = second.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 64);
        Interface.SetAlternateSetting(1);
        AssertStale(transfer);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public void A_transfer_is_not_submitted_after_a_reset()
    {
        using UsbTransfer transfer = Interface.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 64);
        Handle.Reset();
        AssertStale(transfer);
    }

    [BusFact]
    public void Transfers_of_the_new_setting_of_other_interfaces_and_of_the_handle_are_submitted()
    {
        using UsbInterface other = Handle.ClaimInterface(1);
        using UsbTransfer ofOther = other.GetEndpoint(0x85).CreateTransfer(), ofHandle = Handle.CreateTransfer();
        ofOther.SetInterrupt(0x85, 64);
        Interface.SetAlternateSetting(1);
        ofHandle.SetInterrupt(0x83, 64);
        using UsbTransfer ofNew = Interface.GetEndpoint(0x03).CreateTransfer();
        ofNew.SetInterruptCopy(0x03, [1]);
        foreach (UsbTransfer transfer in (UsbTransfer[])[ofOther, ofHandle, ofNew])
        {
            transfer.Submit();
            transfer.TryCancel();
            Finish(transfer);
        }
    }

    [BusFact]
    public void A_ring_of_a_setting_that_has_changed_does_not_start()
    {
        using UsbInputRing ring = Interface.GetEndpoint(0x81).CreateInputRing(new UsbRingOptions { TransferSize = 512 });
        Interface.SetAlternateSetting(1);
        Assert.StartsWith("Endpoint 0x81 is stale", Assert.Throws<InvalidOperationException>(ring.Start).Message, StringComparison.Ordinal);
        Assert.True(ring.Completion.IsCompleted);
        Assert.False(ring.IsRunning);
        Assert.Equal(0, Device.Endpoint(0x81).Submitted);
    }

    private static void AssertStale(UsbTransfer transfer)
    {
        InvalidOperationException stale = Assert.Throws<InvalidOperationException>(transfer.Submit);
        Assert.StartsWith("Endpoint 0x81 is stale", stale.Message, StringComparison.Ordinal);
        ValueTask<int> awaited = transfer.SubmitAsync();
        Assert.Equal(stale.Message, Assert.Throws<InvalidOperationException>(() => awaited.GetAwaiter().GetResult()).Message);
        Assert.Equal(UsbError.NotFound, transfer.TrySubmit());
        Assert.False(transfer.IsSubmitted);
    }
}
