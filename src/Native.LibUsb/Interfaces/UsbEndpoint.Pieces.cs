namespace Native.LibUsb;

// The method for long reads on controllers without scatter-gather.
public sealed partial class UsbEndpoint
{
    /// <summary>
    /// Reads with several transfers, one after the other. The library calls this method if libusb would divide one long transfer into several URBs
    /// (<see cref="UsbDeviceHandle.DividesTransfers"/>).
    /// </summary>
    private async ValueTask<int> ReadPiecesAsync(Memory<byte> memory, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        long begin = Environment.TickCount64;
        int moved = 0;
        while (true)
        {
            Memory<byte> piece = memory.Slice(moved, Math.Min(memory.Length - moved, UsbfsLimits.BulkPiece));
            TimeSpan? left = milliseconds == 0 ? null : TimeSpan.FromMilliseconds(Math.Max(milliseconds - (Environment.TickCount64 - begin), 1));
            int got;
            try
            {
                got = await MoveAsync(UsbDirection.In, piece, UsbTransferFlags.None, left, cancellationToken).ConfigureAwait(false);
            }
            catch (UsbTransferCanceledException canceled) when (moved > 0)
            {
                throw new UsbTransferCanceledException(moved + canceled.BytesTransferred, canceled.CancellationToken);
            }
            catch (ObjectDisposedException) when (moved > 0)
            {
                throw new UsbTransferCanceledException($"The interface or the device handle was disposed after {moved} bytes.", moved);
            }
            catch (UsbException failed) when (moved > 0)
            {
                throw Failure(failed.Error, memory.Length, moved + failed.BytesTransferred);
            }

            moved += got;
            if (got < piece.Length || moved == memory.Length)
                return moved;
        }
    }
}
