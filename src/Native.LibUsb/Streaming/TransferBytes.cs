using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the results of one transfer for a stream or a pipe reader.</summary>
/// <param name="Buffer">The buffer of the bytes. The stream or pipe reader disposes the buffer.</param>
/// <param name="Data">
/// The bytes of the transfer. If the transfer is isochronous, these are only the bytes of the packets that succeeded, one packet directly after another.
/// </param>
/// <param name="EndsMessage">Whether a message ends after the bytes.</param>
/// <param name="LossBefore">The error that describes a loss of data before the bytes. Success means that no data was lost before the bytes.</param>
/// <param name="LossAfter">
/// The error that describes a loss of data within or after the bytes. Data is lost within the bytes if an isochronous packet has failed. Success means that
/// there was no such loss.
/// </param>
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

    // If the status means that the transfer has lost data, the method returns the error. For all other statuses, the method returns success. A cancelled
    // transfer does not count as a loss, because the program has stopped the ring. A stall or an unplugged device does not count either, because it stops the
    // ring. The ring's Failure then contains the error, until the ring has recovered.
    private static UsbError ErrorOf(UsbTransferStatus status) =>
        status is UsbTransferStatus.Error or UsbTransferStatus.TimedOut or UsbTransferStatus.Overflow ? UsbTransferOutcome.ErrorOf(status) : UsbError.Success;

    /// <summary>
    /// Moves the good packets together, so that there are no gaps between their bytes. After the call, the packets are no longer at their original positions.
    /// Code must no longer read individual packets.
    /// </summary>
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
