using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class IsoTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [BusTheory]
    [InlineData(129)]
    [InlineData(300)]
    [InlineData(512)]
    public void A_transfer_of_many_packets_is_split_and_reassembled(int packets)
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 4);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, packets, 3072);
        NumberedPatternChecker checker = new(0);
        for (int round = 0; round < 3; round++)
        {
            transfer.Submit().Wait();
            for (int i = 0; i < packets; i++)
                checker.AddPacket(transfer.PacketData(i));
        }
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal((packets + 127) / 128 * 3, source.Source.Submitted);
    }

    [BusFact]
    public void Every_packet_has_its_own_length_and_status_at_its_own_place()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 2);
        source.Source.FaultAt(1, new IsoFault(UrbStatus.Success, 100));
        source.Source.FaultAt(3, new IsoFault(UrbStatus.Missed, 0));
        source.Source.FaultAt(4, new IsoFault(UrbStatus.Protocol, 500));
        source.Source.FaultAt(6, new IsoFault(UrbStatus.Success, 0));
        source.Source.FaultAt(7, new IsoFault(UrbStatus.Checksum, 1024));
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 9, 1024);
        transfer.Data.Fill(0xee);
        transfer.Submit().Wait();
        int[] lengths = [1024, 100, 1024, 0, 500, 1024, 0, 1024, 1024];
        for (int i = 0; i < 9; i++)
        {
            Assert.Equal(lengths[i], (int)transfer.Packet(i).actual_length);
            Assert.Equal(0, NumberedPattern.CountMismatches(transfer.PacketData(i), (ulong)i));
            bool bad = i is 3 or 4 or 7;
            Assert.Equal(bad ? libusb_transfer_status.LIBUSB_TRANSFER_ERROR : libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, transfer.Packet(i).status);
        }
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, transfer.Status);
    }

    [BusFact]
    public void Packets_of_different_lengths_lie_at_the_sums_of_the_requested_lengths()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Speed = VirtualSpeed.Full, Paced = false });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 1);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 4, 1000);
        uint[] lengths = [256, 255, 256, 100];
        for (int i = 0; i < 4; i++)
            transfer.Descriptors[i].length = lengths[i];
        transfer.Native->length = (int)lengths.Sum(l => l);
        transfer.Submit().Wait();
        for (int i = 0; i < 4; i++)
            Assert.Equal(0, NumberedPattern.CountMismatches(transfer.PacketData(i), (ulong)i));
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_OVERFLOW, transfer.Packet(1).status); // a packet of 256 bytes does not fit into 255 bytes
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, transfer.Packet(2).status);
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_OVERFLOW, transfer.Packet(3).status);
    }

    [BusFact]
    public void Iso_OUT_packets_arrive_with_their_boundaries()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription
        {
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(), new AlternateSetting(new EndpointDescription(0x01, EndpointKind.Isochronous, 1024))))],
        });
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, alternate: 1);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, 0x01, 3, 600);
        transfer.Descriptors[1].length = 10;
        transfer.Native->length = 1210;
        for (int i = 0; i < 1210; i++)
            transfer.Buffer[i] = (byte)i;
        transfer.Submit();
        VirtualEndpoint endpoint = device.Endpoint(0x01);
        Assert.True(endpoint.WaitForPending(1, TimeSpan.FromSeconds(30)));
        VirtualUrb urb = endpoint.Pending[0];
        Assert.Equal(3, urb.PacketCount);
        Assert.Equal((0, 600, 610), (urb.Packets[0].Offset, urb.Packets[1].Offset, urb.Packets[2].Offset));
        Assert.True(transfer.Data[..1210].SequenceEqual(urb.Buffer));
        foreach (ref IsoPacket packet in urb.Packets)
            packet.ActualLength = packet.Length;
        urb.Packets[1].Status = UrbStatus.Missed;
        urb.Complete();
        transfer.Wait();
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_ERROR, transfer.Packet(1).status);
        Assert.Equal(600, (int)transfer.Packet(2).actual_length);
    }

    [BusFact]
    [PreloadOnly(KernelLimits.Times)]
    public void A_bus_that_receives_an_urb_late_loses_none_of_its_packets()
    {
        using Watchdog watchdog = new();
        using ManualResetEventSlim moving = new(), goOn = new();
        IsoSink sink = new(new IsoSinkOptions { Speed = VirtualSpeed.Full });
        sink.Sink.PacketTaken = (number, _) =>
        {
            if (number != 0)
                return;
            moving.Set();
            goOn.Wait(); // holds the device's lock: the bus accepts no URB during this wait
        };
        using RawHost host = new(sink);
        libusb_device_handle* handle = host.Open(sink, alternate: 1);
        using RawTransfer first = RawTransfer.Iso(host, handle, IsoSink.EndpointAddress, 128, 16);
        using RawTransfer queued = RawTransfer.Iso(host, handle, IsoSink.EndpointAddress, 1024, 16);
        using RawTransfer last = RawTransfer.Iso(host, handle, IsoSink.EndpointAddress, 128, 16);
        first.Submit();
        queued.Submit();
        Assert.True(moving.Wait(s_limit));
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        last.Submit();
        TimeSpan late = System.Diagnostics.Stopwatch.GetElapsedTime(began);

        while (System.Diagnostics.Stopwatch.GetElapsedTime(began) < TimeSpan.FromMilliseconds(1200))
            Thread.Yield(); // the queued transfer takes 1,024 ms
        goOn.Set();
        first.Wait();
        queued.Wait();
        last.Wait();

        Assert.Equal(1280, sink.Sink.TakenPackets);
        if (late < TimeSpan.FromMilliseconds(900)) // otherwise this thread was not scheduled, and the submission itself was late
            Assert.Equal(0, sink.Sink.MissedPackets);
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 3, 1023, 1000)]
    [InlineData(VirtualSpeed.High, 4, 3072, 8000)]
    [InlineData(VirtualSpeed.Super, 2, 16384, 8000)]
    public void A_paced_source_keeps_the_time_of_the_bus(VirtualSpeed speed, int alternate, int packetSize, int perSecond)
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Speed = speed });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: alternate);
        int packets = perSecond / 50;
        RawTransfer[] ring = [.. Enumerable.Range(0, 4).Select(_ => RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, packets, packetSize))];
        NumberedPatternChecker checker = new(0);
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        foreach (RawTransfer transfer in ring)
            transfer.Submit();
        for (int i = 0; i < 12; i++)
        {
            RawTransfer transfer = ring[i % 4].Wait();
            for (int packet = 0; packet < packets; packet++)
                checker.AddPacket(transfer.PacketData(packet));
            if (i < 8)
                transfer.Submit();
        }
        double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds;
        // Twelve transfers of 20 ms take about 240 ms on the bus, and cannot end sooner. A busy machine may miss packets, and the virtual device counts them.
        // Exactly this number of packets may be lost, and no received byte may be wrong.
        Assert.InRange(seconds, 0.235, 30);
        Assert.Equal(source.Source.MissedPackets, checker.Lost);
        Assert.Equal(0, checker.MismatchedBytes + checker.OutOfOrder + checker.Duplicates);
        Assert.Equal(12L * packets, checker.Packets);
        foreach (RawTransfer transfer in ring)
            transfer.Dispose();
    }

    [BusFact]
    public void Packets_that_are_not_requested_in_time_are_missed()
    {
        using Watchdog watchdog = new();
        IsoSource source = new();
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 1);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 8, 512);
        NumberedPatternChecker checker = new(0);
        for (int round = 0; round < 3; round++)
        {
            // With only one transfer in flight, there is always a gap between two transfers.
            transfer.Submit().Wait();
            for (int i = 0; i < 8; i++)
                checker.AddPacket(transfer.PacketData(i));
        }
        Assert.True(checker.Lost >= 2, checker.ToString());
        Assert.Equal(source.Source.MissedPackets, checker.Lost);
    }

    [BusFact]
    public void A_cancelled_paced_transfer_has_the_packets_whose_time_had_come()
    {
        const int packets = 4000; // four seconds: even the busiest machine cancels before the end
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Speed = VirtualSpeed.Full });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 1);
        using RawTransfer first = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 8, 256);
        using RawTransfer second = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, packets, 256);
        first.Submit();
        second.Submit();
        first.Wait(); // the second transfer has begun now
        RawHost.Check(libusb_cancel_transfer(second.Native));
        second.Wait();
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_CANCELLED, second.Status);
        Assert.InRange(source.Source.Unlinked, 1, (packets + 127) / 128); // libusb submits URBs of 128 packets
        // libusb stores the packets in the order in which their URBs end. A packet that was cancelled before its service interval may therefore be at any
        // position in the transfer.
        Assert.Contains(Enumerable.Range(0, packets), packet => second.Packet(packet).actual_length == 0);
    }

    [BusFact]
    public void Nothing_can_be_submitted_in_the_setting_without_endpoint()
    {
        using Watchdog watchdog = new();
        IsoSource source = new();
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 8, 512);
        Assert.True(transfer.TrySubmit() < 0);
        RawHost.Check(libusb_set_interface_alt_setting(handle, 0, 1));
        transfer.Submit().Wait();
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_set_interface_alt_setting(handle, 0, 9));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_set_interface_alt_setting(handle, 3, 0));
    }
}
