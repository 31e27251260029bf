using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests the packets of isochronous transfers: their data, their statuses and their positions in the buffer.</summary>
public sealed class IsochronousTests : BusTest
{
    private const byte Endpoint = IsoSource.EndpointAddress;

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 3, 1023)]
    [InlineData(VirtualSpeed.High, 4, 3072)]
    [InlineData(VirtualSpeed.Super, 3, 49_152)]
    public void Packets_arrive_in_order_and_whole(VirtualSpeed speed, int setting, int bytes)
    {
        var source = new IsoSource(new IsoSourceOptions { Speed = speed, Paced = false });
        using UsbDeviceHandle handle = Open(source);
        Assert.True(handle.Device.GetActiveConfigurationDescriptor().TryFindSetting(0, setting, out UsbInterfaceDescriptor? alternate));
        Assert.True(alternate.TryFindEndpoint(Endpoint, out UsbEndpointDescriptor? endpoint));
        Assert.Equal(bytes, endpoint.BytesPerInterval);
        handle.ClaimInterface(0).SetAlternateSetting(setting);

        var checker = new NumberedPatternChecker();
        int left = 20;
        var transfers = new UsbTransfer[4];
        for (int i = 0; i < transfers.Length; i++)
        {
            transfers[i] = handle.CreateTransfer(isoPackets: 16);
            transfers[i].SetIsochronous(Endpoint, bytes, transfer =>
            {
                foreach (var (status, data) in transfer.IterIso())
                {
                    Assert.Equal(UsbTransferStatus.Completed, status);
                    checker.AddPacket(data);
                }

                if (--left > 0)
                    transfer.Submit();
            });
        }

        foreach (UsbTransfer transfer in transfers)
            transfer.Submit();
        HandleEventsUntil(() => left <= 1 - transfers.Length);
        Assert.Equal((20 + transfers.Length - 1) * 16, checker.Packets);
        Assert.Equal(checker.Packets * bytes, checker.Bytes);
        Assert.Equal(0, checker.Lost);
        Assert.Equal(0, checker.MismatchedBytes);
    }

    [BusFact]
    public void A_transfer_may_have_more_packets_than_a_URB()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 300); // Linux: three URBs of at most 128
        transfer.SetIsochronous(Endpoint, 512);
        transfer.Submit();
        Finish(transfer);
        var checker = new NumberedPatternChecker();
        foreach (UsbIsoPacket packet in transfer.IterIso())
            checker.AddPacket(packet.Data);
        Assert.Equal(300, checker.Packets);
        Assert.Equal(0, checker.Lost);
        Assert.Equal(0, checker.MismatchedBytes);
    }

    [BusFact]
    public void Good_packets_are_delivered_between_bad_short_and_missing_ones()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        source.Source.FaultAt(1, new IsoFault(UrbStatus.Protocol));
        source.Source.FaultAt(2, new IsoFault(UrbStatus.Success, 100));
        source.Source.FaultAt(4, new IsoFault(UrbStatus.Success, 0));
        source.Source.FaultAt(5, new IsoFault(UrbStatus.Missed));
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 7);
        transfer.SetIsochronous(Endpoint, 512);
        transfer.Submit();
        Finish(transfer);

        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        var seen = new List<(UsbTransferStatus Status, int Length)>();
        byte[] expected = new byte[512];
        ulong number = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
        {
            seen.Add((packet.Status, packet.ActualLength));
            Assert.Equal(512, packet.Length);
            Assert.Equal(512, packet.Buffer.Length);
            NumberedPattern.Fill(expected, number++);
            Assert.True(packet.Data.SequenceEqual(expected.AsSpan(0, packet.ActualLength)), $"packet {number - 1}");
        }

        Assert.Equal(
            [
                (UsbTransferStatus.Completed, 512), (UsbTransferStatus.Error, 0), (UsbTransferStatus.Completed, 100),
                (UsbTransferStatus.Completed, 512), (UsbTransferStatus.Completed, 0), (UsbTransferStatus.Error, 0), (UsbTransferStatus.Completed, 512),
            ],
            seen);
    }

    [BusFact]
    public void Packets_of_different_lengths_lie_at_the_sum_of_the_lengths_before()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        byte[] memory = new byte[512 * 3];
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 8);
        transfer.SetIsochronousPinned(Endpoint, memory.AsMemory(), [512, 16, 300, 512]);
        Assert.Equal(4, transfer.IsoPacketCount);
        transfer.Submit();
        Finish(transfer);
        byte[] expected = new byte[512];
        int offset = 0;
        ulong number = 0;
        foreach (int length in new[] { 512, 16, 300, 512 })
        {
            NumberedPattern.Fill(expected, number++);
            Assert.True(memory.AsSpan(offset, 16).SequenceEqual(expected.AsSpan(0, 16)));
            offset += length;
        }

        Assert.Equal(4UL, number);
    }

    // libusb and the kernel accept a packet of length zero. Such a packet uses an interval and transfers no data. The device of this test nevertheless sends
    // data, so the packet overflows.
    [BusFact]
    public void Packets_of_no_length_are_accepted_in_input()
    {
        using UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(1);
        byte[] memory = new byte[1024];
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        transfer.SetIsochronousPinned(Endpoint, memory, [512, 0, 512, 0]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal("Completed 512, Overflow 0, Completed 512, Overflow 0", Packets(transfer));
        Assert.True(memory.AsSpan(512).ContainsAnyExcept((byte)0)); // the data of the third packet follows that of the first

        transfer.SetIsochronousPinned(Endpoint, Memory<byte>.Empty, [0, 0, 0]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal("Overflow 0, Overflow 0, Overflow 0", Packets(transfer));

        transfer.SetIsochronous(Endpoint, 0);
        Assert.Equal(4, transfer.IsoPacketCount);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal("Overflow 0, Overflow 0, Overflow 0, Overflow 0", Packets(transfer));
    }

    [BusFact]
    public void Packets_of_no_length_are_accepted_in_output()
    {
        var sink = new IsoSink();
        using UsbDeviceHandle handle = Open(sink);
        UsbInterface claimed = handle.ClaimInterface(0);
        claimed.SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        transfer.SetIsochronousCopy(IsoSink.EndpointAddress, new byte[16], [8, 0, 8, 0]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal("Completed 8, Completed 0, Completed 8, Completed 0", Packets(transfer));
        transfer.SetIsochronousCopy(IsoSink.EndpointAddress, [], [0, 0]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal("Completed 0, Completed 0", Packets(transfer));
    }

    // While the transfer is in flight, libusb writes only the results of the packets. A program can therefore read the requested lengths at that time.
    [BusFact]
    public void The_requested_lengths_can_be_read_while_the_transfer_is_submitted()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        Assert.Empty(transfer.GetIsoPacketLengths());
        transfer.SetIsochronousPinned(Endpoint, new byte[512], [300, 0, 12]);
        source.Endpoint(Endpoint).Hold();
        transfer.Submit();
        Assert.Equal([300, 0, 12], transfer.GetIsoPacketLengths());
        Assert.Throws<InvalidOperationException>(() => transfer.IterIso());
        source.Endpoint(Endpoint).Resume();
        Finish(transfer);
        Assert.Equal([300, 0, 12], transfer.GetIsoPacketLengths());
        transfer.SetBulk(0x82, 8);
        Assert.Empty(transfer.GetIsoPacketLengths());
        transfer.Dispose();
        Assert.Throws<ObjectDisposedException>(transfer.GetIsoPacketLengths);
    }

    [BusFact]
    public void Lengths_that_do_not_fit_are_refused_and_change_nothing()
    {
        using UsbDeviceHandle handle = Open(new IsoSource());
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        transfer.SetIsochronous(Endpoint, 100);
        Assert.Throws<ArgumentException>(() => transfer.SetIsochronousPinned(Endpoint, new byte[10])); // 10 / 4
        Assert.Throws<ArgumentException>(() => transfer.SetIsochronousPinned(Endpoint, Array.Empty<byte>()));
        Assert.Throws<ArgumentException>(() => transfer.SetIsochronousPinned(Endpoint, new byte[10], [4, 4, 4]));
        Assert.Throws<ArgumentException>(() => transfer.SetIsochronousPinned(Endpoint, new byte[10], [1, 1, 1, 1, 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetIsochronousPinned(Endpoint, new byte[10], [4, -1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetIsochronous(Endpoint, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetIsochronous(Endpoint, int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => transfer.SetIsochronous(0x40, 8));
        Assert.Equal(4, transfer.IsoPacketCount);
        Assert.Equal(400, transfer.Buffer.Length);
        transfer.SetBulk(0x82, 8);
        Assert.Throws<InvalidOperationException>(() => transfer.IterIso());
    }

    [BusFact]
    public unsafe void Streaming_allocates_nothing()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        Action<UsbTransfer> byDelegate = static transfer => Counter.Count(transfer);
        const int stretch = 300;
        foreach (int kind in new[] { 0, 1, 2 })
        {
            var transfers = new List<UsbTransfer>();
            for (int i = 0; i < 8; i++)
            {
                UsbTransfer transfer = handle.CreateTransfer(isoPackets: 32);
                transfer.SetIsochronous(Endpoint, 512);
                if (kind == 0)
                    transfer.Callback = byDelegate;
                else if (kind == 1)
                    transfer.SetHandler<Counter>();
                else
                    transfer.SetHandler(&Counter.Count);
                transfers.Add(transfer);
            }

            Counter.Left = (AllocationMeter.Stretches + 1) * stretch; // one call may complete more transfers than the stretch needs
            transfers.ForEach(transfer => transfer.Submit());
            long allocated = AllocationMeter.Measure(() =>
            {
                for (int end = Counter.Left - stretch; Counter.Left > end;)
                    Context.HandleEvents();
            });
            Assert.Equal(0, allocated);
            HandleEventsUntil(() => transfers.TrueForAll(transfer => !transfer.IsSubmitted));
            transfers.ForEach(transfer => transfer.Dispose());
        }
    }

    private static string Packets(UsbTransfer transfer)
    {
        var packets = new List<string>();
        foreach (UsbIsoPacket packet in transfer.IterIso())
            packets.Add($"{packet.Status} {packet.Data.Length}");
        return string.Join(", ", packets);
    }

    private readonly struct Counter : IUsbTransferHandler
    {
        public static int Left { get; set; }

        private static long Bytes { get; set; }

        public static void OnCompleted(UsbTransfer transfer) => Count(transfer);

        public static void Count(UsbTransfer transfer)
        {
            foreach (UsbIsoPacket packet in transfer.IterIso())
                Bytes += packet.Data.Length;
            if (--Left > 0)
                transfer.Submit();
        }
    }
}
