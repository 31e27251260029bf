using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the results of one transfer for a reader of bytes.</summary>
/// <param name="Buffer">The buffer, which the owner of the bytes disposes.</param>
/// <param name="Data">The bytes of the transfer without gaps, including the bytes of isochronous packets.</param>
/// <param name="EndsMessage">Whether a message ends after the bytes.</param>
/// <param name="LossBefore">The reason for the loss of data before the bytes; success if nothing was lost.</param>
/// <param name="LossAfter">The reason for the loss of data after the bytes or between isochronous packets; success if nothing was lost.</param>
internal readonly record struct TransferBytes(UsbInputBuffer Buffer, ReadOnlyMemory<byte> Data, bool EndsMessage, UsbError LossBefore, UsbError LossAfter)
{
    public static TransferBytes Of(RingTransfer transfer, UsbReadBoundary boundary, UsbReadLoss loss)
    {
        var buffer = new UsbInputBuffer(transfer);
        bool reports = loss == UsbReadLoss.Throw;
        UsbError before = reports && !transfer.LostBefore.IsNone ? UsbError.DataLost : UsbError.Success;
        UsbError after = reports ? ErrorOf(transfer.Status) : UsbError.Success;
        if (transfer.Ring.Configuration.IsIsochronous)
            return new TransferBytes(buffer, transfer.Memory[..Gather(transfer, reports, ref after)], false, before, after);
        return new TransferBytes(buffer, buffer.Memory, boundary == UsbReadBoundary.ShortPacket && buffer.EndsWithShortPacket, before, after);
    }

    // Other statuses are not reported here. A cancelled transfer is no loss, because the program has stopped the ring. The ring's Failure reports a stall or an
    // unplugged device, unless the ring has recovered.
    private static UsbError ErrorOf(UsbTransferStatus status) =>
        status is UsbTransferStatus.Error or UsbTransferStatus.TimedOut or UsbTransferStatus.Overflow ? UsbTransferOutcome.ErrorOf(status) : UsbError.Success;

    /// <summary>Moves the good packets together, so that there are no gaps between their bytes. No thread may read the packets after the call.</summary>
    private static int Gather(RingTransfer transfer, bool reports, ref UsbError failed)
    {
        Span<byte> memory = transfer.Memory.Span;
        int size = transfer.Ring.Configuration.PacketSize, end = 0;
        for (int i = 0; i < transfer.Packets; i++)
        {
            ref readonly libusb_iso_packet_descriptor packet = ref transfer.Descriptors[i];
            if (packet.status != libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED)
            {
                if (reports && failed == UsbError.Success)
                    failed = UsbTransferOutcome.ErrorOf((UsbTransferStatus)packet.status);
                continue;
            }

            int length = (int)packet.actual_length;
            if (end != i * size)
                memory.Slice(i * size, length).CopyTo(memory[end..]);
            end += length;
        }

        return end;
    }
}
