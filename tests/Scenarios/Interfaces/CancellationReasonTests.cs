namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Tests the exception of a cancelled read. If the disposal of an object has cancelled the read, the exception must name this object. If a token has cancelled
/// the read, the exception must name no object.
/// </summary>
public sealed class CancellationReasonTests : TwoSettingsTest
{
    [BusFact]
    public async Task Disposing_the_interface_is_the_reason() =>
        await AssertReason("The transfer was cancelled after 0 bytes because the interface was disposed.", Interface.Dispose);

    [BusFact]
    public async Task Disposing_the_handle_is_the_reason() =>
        await AssertReason("The transfer was cancelled after 0 bytes because the device handle was disposed.", Handle.Dispose);

    [BusFact]
    public async Task Disposing_the_context_is_the_reason() =>
        await AssertReason("The transfer was cancelled after 0 bytes because the context was disposed.", Context.Dispose);

    [BusFact]
    public async Task Disposing_the_transfer_is_the_reason()
    {
        UsbTransfer transfer = Interface.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 64);
        Task<int> reading = transfer.SubmitAsync().AsTask();
        transfer.Dispose();
        Assert.Equal("The transfer was cancelled after 0 bytes because the transfer was disposed.", (await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading)).Message);
    }

    [BusFact]
    public async Task A_token_needs_no_reason()
    {
        using var token = new CancellationTokenSource();
        Task<int> reading = Interface.GetEndpoint(0x81).ReadAsync(new byte[64], token.Token).AsTask();
        await token.CancelAsync();
        Assert.Equal("The transfer was cancelled after 0 bytes.", (await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading)).Message);
    }

    [BusFact]
    public async Task A_late_call_in_a_callback_reports_that_nothing_was_submitted()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81);
        Task<int>? late = null;
        using UsbTransfer transfer = Handle.CreateTransfer();
        transfer.SetBulk(0x81, 64, _ => late = input.ReadAsync(new byte[64]).AsTask());
        transfer.Submit();
        Interface.Dispose(); // cancels the transfer and runs its callback
        Assert.Equal(
            "Nothing was submitted, because the interface, the device handle or the context is closing.",
            (await Assert.ThrowsAsync<UsbTransferCanceledException>(() => late!)).Message);
    }

    private async Task AssertReason(string message, Action close)
    {
        Task<int> reading = Interface.GetEndpoint(0x81).ReadAsync(new byte[64]).AsTask();
        close();
        Assert.Equal(message, (await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading)).Message);
    }
}
