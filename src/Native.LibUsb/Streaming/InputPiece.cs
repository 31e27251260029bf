namespace Native.LibUsb.Streaming;

/// <summary>What one transfer brought, to a reader that sees only bytes.</summary>
/// <param name="Buffer">The loan. Whoever has the piece gives it back.</param>
/// <param name="Data">Its bytes in one piece, also those of isochronous packets.</param>
/// <param name="EndsMessage">Whether a message ends behind them.</param>
/// <param name="LossBefore">What was lost before them; success for nothing.</param>
/// <param name="LossAfter">What was lost behind them, or somewhere among isochronous packets; success for nothing.</param>
internal readonly record struct InputPiece(UsbInputBuffer Buffer, ReadOnlyMemory<byte> Data, bool EndsMessage, UsbError LossBefore, UsbError LossAfter)
{
    public static InputPiece Of(RingSlot slot, UsbReadBoundary boundary, UsbReadLoss loss)
    {
        var buffer = new UsbInputBuffer(slot);
        bool tells = loss == UsbReadLoss.Throw;
        UsbError before = tells && !slot.LostBefore.IsNone ? UsbError.DataLost : UsbError.Success;
        UsbError after = tells ? ErrorOf(slot.Status) : UsbError.Success;
        if (slot.Ring.Plan.IsIsochronous)
            return new InputPiece(buffer, slot.Memory[..Gather(slot, tells, ref after)], false, before, after);
        return new InputPiece(buffer, buffer.Memory, boundary == UsbReadBoundary.ShortPacket && buffer.EndsWithShortPacket, before, after);
    }

    // A cancelled transfer was stopped by the program, and a stall or an unplugged device tells the ring's Failure, or was recovered from.
    private static UsbError ErrorOf(UsbTransferStatus status) =>
        status is UsbTransferStatus.Error or UsbTransferStatus.TimedOut or UsbTransferStatus.Overflow ? UsbTransferOutcome.ErrorOf(status) : UsbError.Success;

    /// <summary>Moves the good packets together. The memory is the loan's: nobody looks at the packets after this.</summary>
    private static int Gather(RingSlot slot, bool tells, ref UsbError failed)
    {
        Span<byte> memory = slot.Memory.Span;
        int size = slot.Ring.Plan.PacketSize, end = 0;
        for (int i = 0; i < slot.Packets; i++)
        {
            if (slot.PacketStatuses[i] != (byte)UsbTransferStatus.Completed)
            {
                if (tells && failed == UsbError.Success)
                    failed = UsbTransferOutcome.ErrorOf((UsbTransferStatus)slot.PacketStatuses[i]);
                continue;
            }

            int length = slot.PacketLengths[i];
            if (end != i * size)
                memory.Slice(i * size, length).CopyTo(memory[end..]);
            end += length;
        }

        return end;
    }
}
