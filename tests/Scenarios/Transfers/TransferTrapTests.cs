using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests that the library avoids common errors with native transfers: wrong sizes, wrong flags, memory that moves, and cancellations that come too late.
/// </summary>
public sealed class TransferTrapTests : BusTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public TransferTrapTests() => _handle = Open(_loopback);

    [BusFact]
    public unsafe void Packets_never_exceed_the_room_that_was_allocated()
    {
        const int room = 4;
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: room);
        for (int count = 1; count <= 2 * room; count++)
        {
            int[] lengths = [.. Enumerable.Repeat(8, count)];
            if (count <= room)
                transfer.SetIsochronousPinned(0x81, new byte[8 * count], lengths);
            else
                Assert.Throws<ArgumentException>(() => transfer.SetIsochronousPinned(0x81, new byte[8 * count], lengths));
            Assert.Equal(Math.Min(count, room), transfer.DangerousGetTransfer()->num_iso_packets);
        }

        transfer.SetBulk(BulkLoopback.InAddress, 8);
        Assert.Equal(0, transfer.DangerousGetTransfer()->num_iso_packets); // otherwise libusb would read packets of a bulk transfer
        transfer.SetIsochronous(0x81, 8);
        Assert.Equal(room, transfer.DangerousGetTransfer()->num_iso_packets);
    }

    [BusFact]
    public void A_cancellation_that_comes_too_late_does_not_suppress_the_callback()
    {
        var statuses = new List<UsbTransferStatus>();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, t => statuses.Add(t.Status));
        transfer.Submit();
        WaitForCompletion();

        // libusb finds nothing to cancel, because the kernel has already completed the transfer. The transfer nevertheless stays in flight until its callback
        // has run.
        Assert.False(transfer.TryCancel());
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(transfer.Cancel).Error);
        Assert.True(transfer.IsSubmitted);
        transfer.Dispose();
        Assert.False(transfer.IsDisposed);
        Assert.Empty(statuses);
        HandleEventsUntil(() => statuses.Count > 0);
        Assert.Equal([UsbTransferStatus.Completed], statuses);
        Assert.True(transfer.IsDisposed);
    }

    [BusFact]
    public void Closing_waits_for_callbacks_that_cannot_be_cancelled_any_more()
    {
        var statuses = new List<UsbTransferStatus>();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, t => statuses.Add(t.Status));
        transfer.Submit();
        WaitForCompletion();
        _handle.Dispose();
        Assert.Equal([UsbTransferStatus.Completed], statuses);
    }

    [BusFact]
    public unsafe void Memory_in_flight_stays_where_it_is_while_the_collector_moves_the_rest()
    {
        const int count = 64, length = 512;
        var transfers = new UsbTransfer[count];
        var buffers = new WeakReference<byte[]>[count];
        var neighbours = new byte[count][];
        var places = new nint[count];
        Submit(transfers, buffers, neighbours, places);

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        int moved = 0;
        for (int i = 0; i < count; i++)
        {
            if (places[i] != (nint)Unsafe.AsPointer(ref neighbours[i][0]))
                moved++;
            Assert.True(buffers[i].TryGetTarget(out byte[]? buffer), $"Buffer {i} was collected.");
            Assert.True((nint)Unsafe.AsPointer(ref buffer[0]) == (nint)transfers[i].DangerousGetTransfer()->buffer, $"Buffer {i} was moved.");
        }

        Assert.True(moved > 0, "The collector moved nothing, so this test proves nothing.");
        byte[] pattern = new byte[length];
        for (int i = 0; i < count; i++)
        {
            NumberedPattern.Fill(pattern, (ulong)i);
            _handle.At(BulkLoopback.OutAddress).Write(pattern, Patience);
        }

        HandleEventsUntil(() => Array.TrueForAll(transfers, transfer => !transfer.IsSubmitted));
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(0, NumberedPattern.CountMismatches(transfers[i].Data, (ulong)i));
            Assert.True(buffers[i].TryGetTarget(out byte[]? buffer));
            Assert.Equal(0, NumberedPattern.CountMismatches(buffer, (ulong)i));
            transfers[i].Dispose();
        }

        // This method allocates garbage between the buffers, so that the collector can compact the heap and move objects.
        [MethodImpl(MethodImplOptions.NoInlining)]
        void Submit(UsbTransfer[] transfers, WeakReference<byte[]>[] buffers, byte[][] neighbours, nint[] places)
        {
            var garbage = new List<byte[]>();
            for (int i = 0; i < count; i++)
            {
                garbage.Add(new byte[2048]);
                byte[] buffer = new byte[length];
                garbage.Add(new byte[2048]);
                neighbours[i] = new byte[64];
                transfers[i] = _handle.CreateTransfer();
                transfers[i].SetBulkPinned(BulkLoopback.InAddress, buffer);
                buffers[i] = new WeakReference<byte[]>(buffer);
            }

            for (int i = 0; i < count; i++)
            {
                places[i] = (nint)Unsafe.AsPointer(ref neighbours[i][0]);
                transfers[i].Submit();
            }

            GC.KeepAlive(garbage);
        }
    }

    [BusFact]
    public unsafe void No_flag_lets_libusb_free_anything()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        for (int value = 0; value < 256; value++)
        {
            var flags = (UsbTransferFlags)value;
            if ((flags & ~(UsbTransferFlags.ShortIsError | UsbTransferFlags.AddZeroPacket)) != 0)
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => _handle.CreateTransfer(flags: flags));
                Assert.Throws<ArgumentOutOfRangeException>(() => transfer.Flags = flags);
                continue;
            }

            using UsbTransfer made = _handle.CreateTransfer(flags: flags);
            transfer.Flags = flags;
            Assert.Equal(value, made.DangerousGetTransfer()->flags);
            Assert.Equal(value, transfer.DangerousGetTransfer()->flags);
        }
    }

    [BusFact]
    public unsafe void A_transfer_without_a_time_limit_has_none_in_libusb()
    {
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 1);
        Action[] configurations =
        [
            () => transfer.SetBulk(BulkLoopback.InAddress, 8),
            () => transfer.SetInterrupt(BulkLoopback.InAddress, 8),
            () => transfer.SetBulkStream(BulkLoopback.InAddress, 1, 8),
            () => transfer.SetControl(new UsbControlSetup(0x80, 6, 0, 0), 8),
            () => transfer.SetIsochronous(0x81, 8),
        ];
        foreach (Action configure in configurations)
        {
            transfer.SetBulk(BulkLoopback.InAddress, 8, timeout: Patience); // the next configuration must clear this timeout
            configure();
            Assert.Equal(0u, transfer.DangerousGetTransfer()->timeout);
        }
    }

    [BusTheory]
    [InlineData(UsbTransferStatus.TimedOut)]
    [InlineData(UsbTransferStatus.Canceled)]
    [InlineData(UsbTransferStatus.Error)]
    [InlineData(UsbTransferStatus.Overflow)]
    [InlineData(UsbTransferStatus.Stall)]
    public void Received_bytes_are_kept_when_a_transfer_fails(UsbTransferStatus end)
    {
        const int arrived = 512;
        VirtualEndpoint endpoint = _loopback.Endpoint(BulkLoopback.InAddress);
        byte[] pattern = new byte[arrived];
        NumberedPattern.Fill(pattern, 7);
        endpoint.Hold();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 4 * arrived, timeout: end == UsbTransferStatus.TimedOut ? TimeSpan.FromMilliseconds(100) : null);
        transfer.Submit();
        Assert.True(endpoint.WaitForPending(1, Patience));
        VirtualUrb urb = endpoint.Pending[0];
        lock (_loopback.SyncRoot)
        {
            pattern.CopyTo(urb.Buffer);
            urb.ActualLength = arrived;
            if (end == UsbTransferStatus.Error)
                urb.Complete(UrbStatus.Protocol);
            else if (end == UsbTransferStatus.Overflow)
                urb.Complete(UrbStatus.Overflow);
            else if (end == UsbTransferStatus.Stall)
                urb.Complete(UrbStatus.Stall);
        }

        if (end == UsbTransferStatus.Canceled)
            transfer.Cancel();
        Finish(transfer);
        Assert.Equal(end, transfer.Status);
        Assert.Equal(arrived, transfer.ActualLength);
        Assert.True(transfer.Data.SequenceEqual(pattern));
    }

    [BusFact]
    public void Results_of_an_isochronous_transfer_are_available_per_packet_only()
    {
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 2);
        transfer.SetIsochronous(0x81, 8);
        Assert.Contains("IterIso", Assert.Throws<InvalidOperationException>(() => transfer.Data.Length).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Waits until the device node is ready. The node is ready if the kernel has completed a transfer and libusb has not handled this completion yet.
    /// </summary>
    private void WaitForCompletion()
    {
        var poller = new UsbSystemPoller();
        poller.Register(Context.GetPollFds().Single(descriptor => descriptor.Events == UsbPollEvents.Out).FileDescriptor, UsbPollEvents.Out);
        Assert.Equal(1, poller.Poll(new UsbPollFd[1], Patience));
    }
}
