using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Tests each kind of fault on a bulk endpoint. The tests check how the fault affects the program, and what the device's fault plan records.</summary>
[PreloadOnly(KernelLimits.Faults)]
public sealed class BulkFaultTests : BusTest
{
    private const byte In = BulkSourceSink.InAddress, Out = BulkSourceSink.OutAddress;
    private const int Packet = 512, Length = 4 * Packet;

    private readonly FaultPlan _plan = new(seed: 1);
    private readonly BulkSourceSink _device;
    private readonly UsbDeviceHandle _handle;

    public BulkFaultTests()
    {
        _device = new BulkSourceSink(new BulkSourceSinkOptions { Numbered = true }) { Faults = _plan };
        _handle = Open(_device);
    }

    [BusFact]
    public void Every_error_of_a_submission_is_an_error_without_a_callback()
    {
        const int noMemory = 12, noDevice = 19;
        int callbacks = 0;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(Out, Length, _ => callbacks++);
        for (int error = 1; error <= 133; error++)
        {
            var rule = new FaultRule(FaultKind.Refuse) { Endpoint = Out, Error = error };
            _plan.Add(rule);
            Assert.Equal(error switch { noMemory => UsbError.NoMemory, noDevice => UsbError.NoDevice, _ => UsbError.IO }, transfer.TrySubmit());
            Assert.False(transfer.IsSubmitted);
            Assert.Equal((FaultKind.Refuse, error, error - 1, Length), (Last.Kind, Last.Error, (int)Last.Urb, Last.Length));
            _plan.Remove(rule);
        }

        transfer.Submit();
        Finish(transfer);
        Assert.Equal(1, callbacks);
        Assert.Equal(Length, transfer.ActualLength);
        Assert.Equal(1, _device.Endpoint(Out).Submitted);
    }

    [BusTheory]
    [InlineData(UrbStatus.NoEndpoint, UsbTransferStatus.Completed)] // libusb handles this status as the result of a cancellation
    [InlineData(UrbStatus.NoDevice, UsbTransferStatus.NoDevice)]
    [InlineData(UrbStatus.Stall, UsbTransferStatus.Stall)]
    [InlineData(UrbStatus.BufferOverrun, UsbTransferStatus.Error)]
    [InlineData(UrbStatus.Protocol, UsbTransferStatus.Error)]
    [InlineData(UrbStatus.Overflow, UsbTransferStatus.Overflow)]
    [InlineData(UrbStatus.Checksum, UsbTransferStatus.Error)]
    [InlineData(UrbStatus.Unlinked, UsbTransferStatus.Completed)] // libusb handles this status in the same way
    [InlineData(UrbStatus.Shutdown, UsbTransferStatus.NoDevice)]
    public void Every_status_arrives_with_the_number_of_transferred_bytes(UrbStatus status, UsbTransferStatus seen)
    {
        foreach (byte endpoint in (byte[])[In, Out])
        {
            using UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(endpoint, Length);
            foreach (int moved in (int[])[0, Packet])
            {
                long before = endpoint == In ? _device.SentPackets * Packet : _device.TakenBytes;
                _plan.Add(new FaultRule(FaultKind.Status) { Endpoint = endpoint, Status = status, Length = moved, Limit = 1 });
                Run(transfer);
                Assert.Equal(seen, transfer.Status);
                Assert.Equal(moved, transfer.ActualLength);
                Assert.Equal((FaultKind.Status, endpoint, status, Length, moved), (Last.Kind, Last.Endpoint, Last.Status, Last.Length, Last.Moved));
                long used = (endpoint == In ? _device.SentPackets * Packet : _device.TakenBytes) - before;
                Assert.Equal(used, Last.Moved + Last.Lost);
                if (status == UrbStatus.Stall)
                    _handle.At(endpoint).ClearHalt();
            }
        }
    }

    [BusFact]
    public void A_urb_that_is_never_answered_can_be_cancelled_and_the_next_one_is_answered()
    {
        _plan.Add(new FaultRule(FaultKind.Never) { Endpoint = In, Limit = 1 });
        using UsbTransfer silent = _handle.CreateTransfer();
        using UsbTransfer next = _handle.CreateTransfer();
        silent.SetBulk(In, Length);
        next.SetBulk(In, Length);
        silent.Submit();
        Run(next);
        Assert.Equal(UsbTransferStatus.Completed, next.Status);
        Assert.True(silent.IsSubmitted);
        silent.Cancel();
        Finish(silent);
        Assert.Equal((UsbTransferStatus.Canceled, 0), (silent.Status, silent.ActualLength));
        Assert.Equal((FaultKind.Never, 0L), (Last.Kind, Last.Urb));
        AssertPackets(next, 0);
    }

    [BusFact]
    public void An_unresponsive_device_ends_requests_by_their_time_limit_only()
    {
        _plan.Add(new FaultRule(FaultKind.Never)).Add(new FaultRule(FaultKind.Never) { Endpoint = 0 });
        TimeSpan limit = TimeSpan.FromMilliseconds(50);
        Assert.Equal(UsbError.Timeout, _handle.At(In).TryRead(new byte[Length], out _, limit));
        Assert.Equal(UsbError.Timeout, _handle.At(Out).TryWrite(new byte[Length], out _, limit));
        var request = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Device, 0, 0, 0);
        Assert.Equal(UsbError.Timeout, _handle.TryControlRead(request, new byte[2], out _, limit));
        Assert.Equal([In, Out, 0], _plan.Faults.Select(fault => fault.Endpoint));
        _plan.Clear();
        Assert.Equal(2, _handle.ControlRead(request, new byte[2], Patience));
    }

    [BusFact]
    public void A_late_urb_ends_with_its_data_and_those_behind_it_wait()
    {
        _plan.Add(new FaultRule(FaultKind.Late) { Endpoint = In, Limit = 1, Delay = TimeSpan.FromMilliseconds(30) });
        Assert.Equal([0, 1, 2], OrderOf(3));
        Assert.Equal(FaultKind.Late, Last.Kind);
        Assert.Equal((0, 0), (Last.Lost, Last.Repeated));
    }

    [BusFact]
    public void A_urb_is_overtaken_by_the_next_one()
    {
        _plan.Add(new FaultRule(FaultKind.Reorder) { Endpoint = In, First = 1, Limit = 1, Delay = Patience });
        Assert.Equal([0, 2, 1, 3], OrderOf(4));
        Assert.Equal((FaultKind.Reorder, 1L), (Last.Kind, Last.Urb));
    }

    [BusFact]
    public void A_urb_that_nothing_overtakes_ends_after_the_delay()
    {
        _plan.Add(new FaultRule(FaultKind.Reorder) { Endpoint = In, Limit = 1 });
        Assert.Equal([0], OrderOf(1));
    }

    [BusFact]
    public void Data_is_read_a_second_time()
    {
        _plan.Add(new FaultRule(FaultKind.Duplicate) { Endpoint = In, First = 1, Limit = 1 });
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(In, Length);
        foreach (ulong first in (ulong[])[0, 0, 4])
        {
            Run(transfer);
            AssertPackets(transfer, first);
        }

        Assert.Equal((FaultKind.Duplicate, 1L, Length), (Last.Kind, Last.Urb, Last.Repeated));
    }

    [BusFact]
    public void Data_is_taken_twice()
    {
        _plan.Add(new FaultRule(FaultKind.Duplicate) { Endpoint = Out, Limit = 1 });
        Assert.Equal(Length, _handle.At(Out).Write(new byte[Length], Patience));
        Assert.Equal(2 * Length, _device.TakenBytes);
        Assert.Equal(Length, Last.Repeated);
    }

    [BusTheory]
    [InlineData(FaultKind.ShortPacket, Packet, UsbTransferStatus.Completed, 3 * Packet)]
    [InlineData(FaultKind.ShortPacket, 0, UsbTransferStatus.Completed, Length)]
    [InlineData(FaultKind.Babble, Packet, UsbTransferStatus.Overflow, 3 * Packet)]
    [InlineData(FaultKind.Babble, 0, UsbTransferStatus.Overflow, 0)]
    public void A_device_sends_less_or_more_than_the_host_requested(FaultKind kind, int length, UsbTransferStatus status, int lost)
    {
        _plan.Add(new FaultRule(kind) { Endpoint = In, Length = length, Limit = 1 });
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(In, Length);
        Run(transfer);
        Assert.Equal(status, transfer.Status);
        Assert.Equal(Length - lost, transfer.ActualLength);
        Assert.Equal((kind, Length - lost, lost), (Last.Kind, Last.Moved, Last.Lost));
        AssertPackets(transfer, 0);
        Run(transfer);
        AssertPackets(transfer, Length / Packet);
    }

    [BusFact]
    public void A_storm_of_signals_and_refusals_by_signals_loses_nothing()
    {
        const int interrupted = 4;
        _plan.Add(new FaultRule(FaultKind.Refuse) { Endpoint = In, Error = interrupted, Probability = 0.3 });
        using var storm = new SignalStorm(TimeSpan.FromMilliseconds(0.2));
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(In, Length);
        int refused = 0;
        for (ulong i = 0; i < 500; i++)
        {
            UsbError error;
            while ((error = transfer.TrySubmit()) == UsbError.IO)
                refused++;
            Assert.Equal(UsbError.Success, error);
            HandleEventsUntil(() => !transfer.IsSubmitted);
            AssertPackets(transfer, i * Length / Packet);
        }

        Assert.True(SpinWait.SpinUntil(() => storm.Interruptions > 1000, Patience));
        Assert.Equal(refused, _plan.Faults.Count);
        Assert.All(_plan.Faults, fault => Assert.Equal(interrupted, fault.Error));
    }

    private InjectedFault Last => _plan.Faults[^1];

    /// <summary>
    /// Reads with several transfers in flight, and returns the order in which the transfers ended. Checks that the transfers have received the data in the
    /// order of their submission.
    /// </summary>
    private List<int> OrderOf(int count)
    {
        var order = new List<int>();
        _device.Endpoint(In).Hold();
        UsbTransfer[] transfers = new UsbTransfer[count];
        for (int i = 0; i < count; i++)
        {
            int number = i;
            transfers[i] = _handle.CreateTransfer();
            transfers[i].SetBulk(In, Length, _ => order.Add(number));
            transfers[i].Submit();
        }

        Assert.True(_device.Endpoint(In).WaitForPending(count, Patience));
        _device.Endpoint(In).Resume();
        HandleEventsUntil(() => order.Count == count);
        for (int i = 0; i < count; i++)
        {
            AssertPackets(transfers[i], (ulong)(i * Length / Packet));
            transfers[i].Dispose();
        }

        return order;
    }

    private void Run(UsbTransfer transfer)
    {
        transfer.Submit();
        Finish(transfer);
    }

    private static void AssertPackets(UsbTransfer transfer, ulong first)
    {
        ReadOnlySpan<byte> data = transfer.Data;
        for (; data.Length > 0; data = data[Packet..])
            Assert.Equal(0, NumberedPattern.CountMismatches(data[..Packet], first++));
    }
}
