using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests the configuration, submission and completion of transfers.</summary>
public sealed class UsbTransferTests : BusTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public UsbTransferTests() => _handle = Open(_loopback);

    [BusFact]
    public void Written_bytes_come_back()
    {
        byte[] sent = new byte[100_000];
        new Random(1).NextBytes(sent);
        using UsbTransfer output = _handle.CreateTransfer();
        using UsbTransfer input = _handle.CreateTransfer();
        output.SetBulkCopy(BulkLoopback.OutAddress, (ReadOnlySpan<byte>)sent);
        input.SetBulk(BulkLoopback.InAddress, 100_352);
        output.Submit();
        input.Submit();
        Finish(output);
        Finish(input);
        Assert.Equal(UsbTransferStatus.Completed, output.Status);
        Assert.Equal(sent.Length, output.ActualLength);
        Assert.Equal(UsbTransferStatus.Completed, input.Status);
        Assert.Equal(sent.Length, input.ActualLength);
        Assert.True(input.Data.SequenceEqual(sent));
        Assert.Equal(100_352, input.Buffer.Length);
    }

    [BusFact]
    public void The_callers_memory_is_used_in_place()
    {
        byte[] sent = [1, 2, 3, 4, 5];
        byte[] received = new byte[512];
        using UsbTransfer output = _handle.CreateTransfer();
        using UsbTransfer input = _handle.CreateTransfer();
        output.SetBulkPinned(BulkLoopback.OutAddress, sent);
        input.SetBulkPinned(BulkLoopback.InAddress, received.AsMemory());
        sent[0] = 9; // is sent, because the memory is not copied
        output.Submit();
        input.Submit();
        Finish(output);
        Finish(input);
        Assert.Equal(new byte[] { 9, 2, 3, 4, 5 }, received[..5]);
    }

    [BusFact]
    public void A_callback_may_submit_again()
    {
        int callbacks = 0;
        var submittedInside = new List<bool>();
        using UsbTransfer output = _handle.CreateTransfer();
        output.SetBulk(BulkLoopback.OutAddress, 64, transfer =>
        {
            submittedInside.Add(transfer.IsSubmitted);
            if (++callbacks < 5)
            {
                transfer.Submit();
                submittedInside.Add(transfer.IsSubmitted);
            }
        });
        output.Submit();
        HandleEventsUntil(() => callbacks == 5);
        Assert.False(output.IsSubmitted);
        Assert.Equal([false, true, false, true, false, true, false, true, false], submittedInside);
        Assert.Equal(5 * 64, _loopback.Waiting);
    }

    [BusFact]
    public unsafe void Every_kind_of_callback_is_called()
    {
        var calls = new List<string>();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.State = calls;

        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => calls.Add("delegate"));
        transfer.Submit();
        Finish(transfer);
        transfer.SetHandler<StaticHandler>();
        Assert.Null(transfer.Callback);
        transfer.Submit();
        Finish(transfer);
        transfer.SetHandler(&ByPointer);
        transfer.Submit();
        Finish(transfer);
        transfer.Callback = null;
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(["delegate", "handler", "pointer"], calls);
        Assert.Throws<ArgumentNullException>(() => transfer.SetHandler(null));
    }

    [BusFact]
    public void A_transfer_in_flight_refuses_changes_and_access_to_its_results()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        transfer.Submit();
        Assert.True(transfer.IsSubmitted);
        Assert.Throws<InvalidOperationException>(() => transfer.Submit());
        Assert.Throws<InvalidOperationException>(() => transfer.Buffer.Length);
        Assert.Throws<InvalidOperationException>(() => transfer.Data.Length);
        Assert.Throws<InvalidOperationException>(() => transfer.Status);
        Assert.Throws<InvalidOperationException>(() => transfer.ActualLength);
        Assert.Throws<InvalidOperationException>(() => transfer.SetBulk(BulkLoopback.InAddress, 64));
        Assert.Throws<InvalidOperationException>(() => transfer.Flags = UsbTransferFlags.ShortIsError);
        Assert.Throws<InvalidOperationException>(transfer.Close);
        Assert.Equal(BulkLoopback.InAddress, transfer.Endpoint); // values that do not change may be read
        Assert.Equal(UsbTransferType.Bulk, transfer.Type);
        transfer.Cancel();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Canceled, transfer.Status);
        transfer.Close();
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
        Assert.Throws<ObjectDisposedException>(() => transfer.Submit());
    }

    [BusFact]
    public void Cancel_reports_that_there_is_nothing_to_cancel()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        Assert.False(transfer.TryCancel());
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(transfer.Cancel).Error);
        transfer.Submit();
        Assert.True(transfer.TryCancel());
        Finish(transfer);
        Assert.False(transfer.TryCancel());
    }

    [BusFact]
    public void A_cancelled_transfer_keeps_the_received_bytes()
    {
        _handle.At(BulkLoopback.OutAddress).Write(new byte[512], Patience);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 1024); // a full packet does not end the transfer
        transfer.Submit();
        Assert.True(_loopback.Endpoint(BulkLoopback.InAddress).WaitForSubmitted(1, Patience));
        transfer.Cancel();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Canceled, transfer.Status);
        Assert.Equal(512, transfer.ActualLength);
    }

    [BusFact]
    public void A_timeout_is_a_status()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(20));
        Assert.Equal(TimeSpan.FromMilliseconds(20), transfer.Timeout);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.TimedOut, transfer.Status);
    }

    [BusFact]
    public void A_stall_is_a_status_and_clear_halt_ends_it()
    {
        VirtualEndpoint endpoint = _loopback.Endpoint(BulkLoopback.InAddress);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        endpoint.Halt();
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Stall, transfer.Status);
        _handle.At(BulkLoopback.InAddress).ClearHalt();
        _handle.At(BulkLoopback.OutAddress).Write([7], Patience);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal(7, transfer.Data[0]);
    }

    [BusFact]
    public void A_short_transfer_is_an_error_with_ShortIsError()
    {
        _handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        using UsbTransfer transfer = _handle.CreateTransfer(flags: UsbTransferFlags.ShortIsError);
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Error, transfer.Status);
        Assert.Equal(UsbTransferFlags.ShortIsError, transfer.Flags);
    }

    [BusFact]
    public void A_control_transfer_reads_a_descriptor()
    {
        var setup = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Device, 6, 0x0100, 0);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetControl(setup, 18);
        Assert.Equal(18, transfer.Buffer.Length);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal(18, transfer.ActualLength);
        Assert.Equal(18, transfer.Data[0]);
        Assert.Equal(_loopback.Description.VendorId, BitConverter.ToUInt16(transfer.Data[8..]));

        byte[] memory = new byte[UsbControlSetup.Size + 18];
        transfer.SetControlPinned(setup, memory.AsMemory());
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(18, memory[UsbControlSetup.Size]);
        Assert.Equal(0x80, memory[0]);
    }

    [BusFact]
    public void A_control_transfer_writes_to_the_device()
    {
        byte[]? arrived = null;
        _loopback.ControlHandler = urb =>
        {
            arrived = urb.Buffer[..urb.Length].ToArray();
            urb.Accept();
            return true;
        };
        using UsbTransfer transfer = _handle.CreateTransfer();
        var setup = new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Vendor, UsbRecipient.Device, 0x42, 1, 2);
        transfer.SetControlCopy(setup, [10, 20, 30]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal(new byte[] { 10, 20, 30 }, arrived);
        Assert.Equal(3, transfer.ActualLength);
    }

    [BusFact]
    public void Bad_arguments_are_refused_and_change_nothing()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        Assert.Throws<InvalidOperationException>(transfer.Submit); // the transfer is not configured
        transfer.SetBulkCopy(BulkLoopback.OutAddress, [1, 2, 3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(0x7f, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(0x81, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(0x81, 1, timeout: TimeSpan.FromMilliseconds(-2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(0x81, 1, timeout: TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBulk(0x81, 1, timeout: TimeSpan.FromDays(25)));
        Assert.Throws<ArgumentException>(() => transfer.SetBulkCopy(0x81, (ReadOnlySpan<byte>)[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetControl(default, 65_536));
        Assert.Throws<ArgumentException>(() => transfer.SetControlCopy(new UsbControlSetup(0x80, 6, 0, 0), (ReadOnlySpan<byte>)[1]));
        Assert.Throws<ArgumentException>(() => transfer.SetControlPinned(default, new byte[7].AsMemory()));
        Assert.Throws<InvalidOperationException>(() => transfer.SetIsochronous(0x81, 100)); // the transfer was created without packets
        Assert.Throws<ArgumentOutOfRangeException>(() => _handle.CreateTransfer(-1));
        Assert.Equal(BulkLoopback.OutAddress, transfer.Endpoint);
        Assert.True(transfer.Buffer.SequenceEqual(new byte[] { 1, 2, 3 }));
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
    }

    [BusFact]
    public void An_omitted_callback_and_state_stay_unchanged()
    {
        Action<UsbTransfer> callback = _ => { };
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, callback, "state");
        transfer.SetBulk(BulkLoopback.OutAddress, 2);
        Assert.Same(callback, transfer.Callback);
        Assert.Equal("state", transfer.State);
    }

    [BusFact]
    public void The_buffer_of_a_configured_transfer_can_be_replaced()
    {
        var memory = new byte[512];
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 2);
        Assert.Throws<InvalidOperationException>(() => transfer.SetBuffer(8)); // the transfer is not configured
        transfer.SetBulk(BulkLoopback.InAddress, 64, timeout: Patience);
        transfer.SetBufferPinned(memory);
        _handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        transfer.Submit();
        Assert.Throws<InvalidOperationException>(() => transfer.SetBuffer(8));
        Finish(transfer);
        Assert.Equal(new byte[] { 1, 2, 3 }, memory[..3]);
        Assert.Equal(Patience, transfer.Timeout);
        transfer.SetBuffer(1024);
        Assert.Equal(1024, transfer.Buffer.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetBuffer(-1));

        transfer.SetIsochronous(0x81, 100);
        Assert.Throws<ArgumentException>(() => transfer.SetBuffer(100));
        transfer.SetBufferPinned(new byte[200]);
        Assert.Equal(2, transfer.IsoPacketCount);

        transfer.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18);
        Assert.Throws<InvalidOperationException>(() => transfer.SetBuffer(18));
        transfer.SetBulk(BulkLoopback.InAddress, 64);
        transfer.Doom();
        Assert.Throws<UsbTransferDoomedException>(() => transfer.SetBuffer(8));
    }

    [BusFact]
    public void A_zero_packet_follows_with_AddZeroPacket()
    {
        using UsbTransfer output = _handle.CreateTransfer(flags: UsbTransferFlags.AddZeroPacket);
        output.SetBulk(BulkLoopback.OutAddress, 512);
        Assert.Equal(UsbTransferFlags.AddZeroPacket, output.Flags);
        output.Submit();
        Finish(output);
        using UsbTransfer input = _handle.CreateTransfer();
        input.SetBulk(BulkLoopback.InAddress, 1024); // longer than the packet, so only the empty packet ends the transfer
        input.Submit();
        Finish(input);
        Assert.Equal(UsbTransferStatus.Completed, input.Status);
        Assert.Equal(512, input.ActualLength);
        output.Flags = UsbTransferFlags.None;
        Assert.Equal(UsbTransferFlags.None, output.Flags);
    }

    [BusFact]
    public void A_refused_submission_can_be_made_again()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        Bus.Detach(_loopback);
        HandleEventsUntil(() =>
        {
            UsbError error = transfer.TrySubmit();
            if (error == UsbError.Success)
                Finish(transfer); // libusb has not yet noticed the unplugging
            return error == UsbError.NoDevice;
        });
        Assert.False(transfer.IsSubmitted);
        UsbException exception = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.NoDevice, exception.Error);
        Assert.Contains("0x82", exception.Message, StringComparison.Ordinal);
    }

    private static void ByPointer(UsbTransfer transfer) => ((List<string>)transfer.State!).Add("pointer");

    private readonly struct StaticHandler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer) => ((List<string>)transfer.State!).Add("handler");
    }
}
