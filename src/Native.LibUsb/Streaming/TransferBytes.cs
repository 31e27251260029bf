using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the results of one transfer for a reader that sees only bytes.</summary>
/// <param name="Buffer">The buffer, which the owner of the bytes disposes.</param>
/// <param name="Data">Its bytes in one piece, also those of isochronous packets.</param>
/// <param name="EndsMessage">Whether a message ends behind them.</param>
/// <param name="LossBefore">Why bytes before them were lost; success if none were.</param>
/// <param name="LossAfter">Why bytes behind them, or somewhere among isochronous packets, were lost; success if none were.</param>
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

    // A cancelled transfer was stopped by the program, and the ring's Failure reports a stall or an unplugged device, unless the ring has recovered.
    private static UsbError ErrorOf(UsbTransferStatus status) =>
        status is UsbTransferStatus.Error or UsbTransferStatus.TimedOut or UsbTransferStatus.Overflow ? UsbTransferOutcome.ErrorOf(status) : UsbError.Success;

    /// <summary>Moves the good packets together. No thread looks at the packets after this.</summary>
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
