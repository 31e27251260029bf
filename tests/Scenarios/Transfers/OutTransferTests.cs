using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests interrupt and isochronous transfers from the host to the device.</summary>
public sealed class OutTransferTests : BusTest
{
    private const byte IsoEndpoint = IsoSink.EndpointAddress;

    [BusFact]
    public void Interrupt_transfers_send()
    {
        var device = new VirtualDevice(new DeviceDescription
        {
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(0x01, EndpointKind.Interrupt, 8))))],
        });
        var taker = new Taker(0x01);
        device.Add(taker);
        using UsbDeviceHandle handle = Open(device);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterruptCopy(0x01, (ReadOnlySpan<byte>)[1, 2, 3]);
        Assert.Equal(UsbTransferType.Interrupt, transfer.Type);
        Send(transfer);
        byte[] memory = [4, 5];
        transfer.SetInterruptPinned(0x01, memory);
        memory[0] = 6; // is sent, because the memory is not copied
        Send(transfer);
        transfer.SetInterrupt(0x01, 4);
        transfer.Buffer.Fill(9);
        Send(transfer);
        Assert.Equal(["1,2,3", "6,5", "9,9,9,9"], taker.Taken);
        Assert.Throws<ArgumentException>(() => transfer.SetInterruptCopy(0x81, (ReadOnlySpan<byte>)[1]));
    }

    [BusFact]
    public void Isochronous_packets_are_sent_with_their_lengths_and_have_a_status_each()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        var taken = new List<string>();
        sink.Sink.PacketTaken = (number, data) => taken.Add($"{number}:{string.Join(',', data.ToArray())}");
        sink.Sink.FaultAt(4, new IsoFault(UrbStatus.Missed));
        using UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 3);
        transfer.SetIsochronousCopy(IsoEndpoint, (ReadOnlySpan<byte>)[1, 2, 3, 4, 5, 6], [1, 3, 2]);
        Send(transfer);
        byte[] memory = [7, 8, 9];
        transfer.SetIsochronousPinned(IsoEndpoint, memory);
        memory[2] = 10;
        Send(transfer);
        var statuses = new List<(UsbTransferStatus, int)>();
        foreach (UsbIsoPacket packet in transfer.IterIso())
            statuses.Add((packet.Status, packet.ActualLength));
        transfer.SetIsochronous(IsoEndpoint, packetLength: 2);
        transfer.Buffer.Fill(11);
        Send(transfer);
        Assert.Equal(["0:1", "1:2,3,4", "2:5,6", "3:7", "5:10", "6:11,11", "7:11,11", "8:11,11"], taken);
        Assert.Equal([(UsbTransferStatus.Completed, 1), (UsbTransferStatus.Error, 0), (UsbTransferStatus.Completed, 1)], statuses);
        Assert.Throws<ArgumentException>(() => transfer.SetIsochronousCopy(0x81, (ReadOnlySpan<byte>)[1, 2, 3]));
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 3, 1023)]
    [InlineData(VirtualSpeed.High, 4, 3072)]
    [InlineData(VirtualSpeed.Super, 2, 16_384)]
    public void A_sink_that_keeps_the_time_of_the_bus_is_fed_in_order(VirtualSpeed speed, int setting, int length)
    {
        const int packets = 16, count = 24;
        var sink = new IsoSink(new IsoSinkOptions { Speed = speed });
        var checker = new NumberedPatternChecker(0);
        sink.Sink.PacketTaken = (_, data) => checker.AddPacket(data);
        using UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(setting);
        ulong next = 0;
        int ended = 0;
        for (int i = 0; i < 6; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer(packets);
            transfer.SetIsochronous(IsoEndpoint, length, t =>
            {
                foreach (UsbIsoPacket packet in t.IterIso())
                    Assert.Equal((UsbTransferStatus.Completed, length), (packet.Status, packet.ActualLength));
                if (++ended <= count - 6)
                    Fill(t);
            });
            Fill(transfer);
        }

        HandleEventsUntil(() => ended == count);
        // A busy machine may miss an interval, which then has no data. All bytes that the device receives must nevertheless be correct.
        Assert.Equal(count * packets, sink.Sink.TakenPackets);
        Assert.Equal((count * packets) + sink.Sink.MissedPackets, sink.Sink.NextPacket);
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal(count * packets, checker.Packets);

        void Fill(UsbTransfer transfer)
        {
            for (int i = 0; i < packets; i++)
                NumberedPattern.Fill(transfer.Buffer.Slice(i * length, length), next++);
            transfer.Submit();
        }
    }

    [BusFact]
    public void A_packet_longer_than_the_endpoints_maximum_is_refused()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = false });
        using UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 2);
        transfer.SetIsochronousCopy(IsoEndpoint, (ReadOnlySpan<byte>)new byte[1025], [513, 512]);
        Assert.Equal(UsbError.InvalidParameter, transfer.TrySubmit());
        Assert.False(transfer.IsSubmitted);
        Assert.Equal(0, sink.Endpoint(IsoEndpoint).Submitted);

        transfer.SetIsochronousCopy(IsoEndpoint, (ReadOnlySpan<byte>)new byte[1024], [512, 512]);
        Send(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
    }

    [BusFact]
    public void A_sink_may_unplug_itself()
    {
        var sink = new IsoSink(new IsoSinkOptions { Paced = false, UnplugAfterPackets = 8 });
        using UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        transfer.SetIsochronous(IsoEndpoint, 512);
        int sent = 0;
        while (transfer.TrySubmit() == UsbError.Success)
        {
            Finish(transfer);
            if (transfer.Status != UsbTransferStatus.Completed)
                break;
            sent++;
        }

        Assert.Equal(2, sent);
        Assert.False(sink.IsAttached);
    }

    [BusFact]
    public void The_ShortIsError_flag_may_be_changed_between_submissions()
    {
        var loopback = new BulkLoopback();
        using UsbDeviceHandle handle = Open(loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        foreach (bool isError in new[] { false, true, false, true })
        {
            transfer.Flags = isError ? UsbTransferFlags.ShortIsError : UsbTransferFlags.None;
            handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
            Send(transfer);
            Assert.Equal(isError ? UsbTransferStatus.Error : UsbTransferStatus.Completed, transfer.Status);
            Assert.Equal(3, transfer.ActualLength);
        }

        transfer.Submit();
        Assert.Throws<InvalidOperationException>(() => transfer.Flags = UsbTransferFlags.None);
    }

    private void Send(UsbTransfer transfer)
    {
        transfer.Submit();
        Finish(transfer);
        Assert.True(transfer.Status is UsbTransferStatus.Completed or UsbTransferStatus.Error);
    }

    /// <summary>Represents an endpoint that accepts and stores all data.</summary>
    private sealed class Taker(byte address) : VirtualEndpoint(address)
    {
        public List<string> Taken { get; } = [];

        protected override void OnSubmit(VirtualUrb urb)
        {
            Taken.Add(string.Join(',', urb.Buffer.ToArray()));
            urb.Accept();
        }
    }
}
