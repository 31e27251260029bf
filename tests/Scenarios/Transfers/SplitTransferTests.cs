using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests transfers that libusb divides into several URBs on Linux. libusb divides isochronous transfers of more than 128 packets. On a controller without
/// scatter-gather, it also divides bulk transfers of more than 16 KiB. The URBs complete one by one. A submission may succeed even if the kernel has refused
/// one of the later URBs.
/// </summary>
[PreloadOnly(KernelLimits.Capabilities)]
public sealed class SplitTransferTests : BusTest
{
    private const byte IsoEndpoint = IsoSource.EndpointAddress;
    private const int PacketSize = 512;
    private const int Piece = 16 << 10;

    private readonly VirtualDevice _camera = new(new DeviceDescription
    {
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(IsoEndpoint, EndpointKind.Isochronous, PacketSize)))),
        ],
    });

    public SplitTransferTests()
        : base(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather, UsbfsMemoryMegabytes = 1 })
    {
    }

    [BusFact]
    public void A_bulk_transfer_whose_later_piece_is_refused_fails_in_its_callback_and_works_again()
    {
        var loopback = new BulkLoopback();
        using UsbDeviceHandle handle = Open(loopback);
        var another = new BulkLoopback(new BulkLoopbackOptions { ProductId = 0x0012 });
        using UsbDeviceHandle other = Open(another);
        using UsbTransfer blocker = Blocker(another, other, 10 * Piece);
        var statuses = new List<UsbTransferStatus>();
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 58 * Piece, t => statuses.Add(t.Status)); // fits into 1 MiB, but not together with the blocking transfer
        Assert.Equal(UsbError.Success, transfer.TrySubmit());
        Finish(transfer);
        Assert.Equal([UsbTransferStatus.Error], statuses);
        Assert.InRange(transfer.ActualLength, 0, 57 * Piece);
        Assert.Equal(loopback.Endpoint(BulkLoopback.OutAddress).Bytes, transfer.ActualLength); // the transfer reports the bytes that the device received

        blocker.Cancel();
        Finish(blocker);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal([UsbTransferStatus.Error, UsbTransferStatus.Completed], statuses);
        Assert.Equal(58 * Piece, transfer.ActualLength);
    }

    [BusTheory]
    [InlineData(UrbStatus.Protocol, UsbTransferStatus.Error)]
    [InlineData(UrbStatus.Stall, UsbTransferStatus.Stall)]
    public void A_bulk_transfer_whose_later_piece_fails_keeps_the_pieces_before_it(UrbStatus failure, UsbTransferStatus status)
    {
        var device = new BulkLoopback();
        VirtualEndpoint endpoint = device.Endpoint(BulkLoopback.OutAddress);
        using UsbDeviceHandle handle = Open(device);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 4 * Piece);
        endpoint.Hold();
        transfer.Submit();
        Assert.True(endpoint.WaitForPending(4, Patience));
        IReadOnlyList<VirtualUrb> pieces = endpoint.Pending;
        lock (device.SyncRoot)
        {
            pieces[0].Complete(Piece);
            pieces[1].Complete(512, failure);
        }

        Finish(transfer);
        Assert.Equal(status, transfer.Status);
        Assert.Equal(Piece + 512, transfer.ActualLength);
        Assert.Equal(endpoint.Bytes, transfer.ActualLength);
    }

    [BusFact]
    public void An_isochronous_transfer_whose_later_piece_is_refused_reports_no_packets_of_the_previous_submission()
    {
        using UsbDeviceHandle handle = Open(_camera);
        var loopback = new BulkLoopback();
        using UsbDeviceHandle other = Open(loopback);
        int callbacks = 0;
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 300);
        transfer.SetIsochronous(IsoEndpoint, PacketSize, _ => callbacks++);
        SubmitAndSend(transfer);
        Assert.Equal(300, CountArrived(transfer));

        using UsbTransfer blocker = Blocker(loopback, other, 58 * Piece); // leaves room for the first piece only
        Assert.Equal(UsbError.Success, transfer.TrySubmit());
        Finish(transfer);
        Assert.Equal(2, callbacks);
        AssertNothingIsTold(transfer, UsbTransferStatus.Error);

        blocker.Cancel();
        Finish(blocker);
        SubmitAndSend(transfer);
        Assert.Equal(300, CountArrived(transfer));
    }

    [BusTheory]
    [InlineData(UsbTransferStatus.Canceled)]
    [InlineData(UsbTransferStatus.TimedOut)]
    public void An_isochronous_transfer_that_is_stopped_between_its_pieces_takes_no_packet_for_another(UsbTransferStatus end)
    {
        using UsbDeviceHandle handle = Open(_camera);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 300);
        transfer.SetIsochronous(IsoEndpoint, PacketSize);
        SubmitAndSend(transfer);
        transfer.SetIsochronous(IsoEndpoint, PacketSize, timeout: end == UsbTransferStatus.TimedOut ? TimeSpan.FromMilliseconds(500) : null);
        transfer.Submit();
        Assert.True(Camera.WaitForPending(3, Patience));
        IReadOnlyList<VirtualUrb> pieces = Camera.Pending;
        lock (_camera.SyncRoot)
        {
            Send(pieces[0], 1000, pieces[0].PacketCount);
            pieces[0].Complete();
            Send(pieces[1], 1128, 50); // this piece stays in flight
        }

        if (end == UsbTransferStatus.Canceled)
            transfer.Cancel();
        Finish(transfer);
        AssertNothingIsTold(transfer, end);
    }

    [BusTheory]
    [InlineData(UsbTransferStatus.Canceled)]
    [InlineData(UsbTransferStatus.TimedOut)]
    public void An_isochronous_transfer_in_one_piece_keeps_the_received_packets_when_it_is_stopped(UsbTransferStatus end)
    {
        using UsbDeviceHandle handle = Open(_camera);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 128);
        transfer.SetIsochronous(IsoEndpoint, PacketSize, timeout: end == UsbTransferStatus.TimedOut ? TimeSpan.FromMilliseconds(500) : null);
        transfer.Submit();
        Assert.True(Camera.WaitForPending(1, Patience));
        lock (_camera.SyncRoot)
            Send(Camera.Pending[0], 0, 50);
        if (end == UsbTransferStatus.Canceled)
            transfer.Cancel();
        Finish(transfer);
        Assert.Equal(end, transfer.Status);
        Assert.Equal(50, CountArrived(transfer));
    }

    private VirtualEndpoint Camera => _camera.Endpoint(IsoEndpoint);

    /// <summary>Submits a transfer, sends all its packets, and handles events until the transfer has completed.</summary>
    private void SubmitAndSend(UsbTransfer transfer)
    {
        transfer.Submit();
        Assert.True(Camera.WaitForPending(3, Patience));
        ulong number = 0;
        foreach (VirtualUrb piece in Camera.Pending)
        {
            lock (_camera.SyncRoot)
            {
                Send(piece, number, piece.PacketCount);
                number += (ulong)piece.PacketCount;
                piece.Complete();
            }
        }

        Finish(transfer);
    }

    /// <summary>Writes numbered packets into the first packets of a URB, and marks the remaining packets as missed.</summary>
    private static void Send(VirtualUrb urb, ulong first, int count)
    {
        for (int i = 0; i < urb.PacketCount; i++)
        {
            urb.Packets[i].Status = i < count ? UrbStatus.Success : UrbStatus.Missed;
            urb.Packets[i].ActualLength = i < count ? PacketSize : 0;
            if (i < count)
                NumberedPattern.Fill(urb.PacketBuffer(i), first + (ulong)i);
        }
    }

    /// <summary>Counts the packets with data. Checks that each of these packets contains a number that equals the packet's position in the transfer.</summary>
    private static int CountArrived(UsbTransfer transfer)
    {
        int arrived = 0;
        ulong place = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
        {
            if (packet.ActualLength > 0)
            {
                Assert.Equal(UsbTransferStatus.Completed, packet.Status);
                Assert.Equal(PacketSize, packet.ActualLength);
                Assert.Equal(0, NumberedPattern.CountMismatches(packet.Data, place));
                arrived++;
            }

            place++;
        }

        return arrived;
    }

    private static void AssertNothingIsTold(UsbTransfer transfer, UsbTransferStatus status)
    {
        Assert.Equal(status, transfer.Status);
        int place = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
        {
            Assert.True(packet.ActualLength == 0, $"Packet {place} reports {packet.ActualLength} bytes; the number in them is {NumberedPattern.ReadNumber(packet.Data)}.");
            Assert.Equal(status, packet.Status);
            Assert.Equal(PacketSize, packet.Length);
            place++;
        }

        Assert.Equal(300, place);
    }

    /// <summary>Submits a transfer that the device keeps pending, so that less of the usbfs memory limit remains for other transfers.</summary>
    private static UsbTransfer Blocker(BulkLoopback device, UsbDeviceHandle handle, int length)
    {
        device.Endpoint(BulkLoopback.OutAddress).Hold();
        UsbTransfer blocker = handle.CreateTransfer();
        blocker.SetBulk(BulkLoopback.OutAddress, length);
        blocker.Submit();
        return blocker;
    }
}
