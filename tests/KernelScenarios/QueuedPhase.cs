namespace Native.LibUsb.Tests.Kernel;

/// <summary>Moves the data with several transfers in flight. Each transfer uses a different part of the caller's memory.</summary>
public sealed class QueuedPhase(int transfers = 6, int pieceLength = 96 * 1024) : IDataPhase
{
    public byte[]? Read(BulkOnlyStorage storage, Memory<byte> data)
    {
        Move(storage.Handle, storage.In, data);
        return null;
    }

    public void Write(BulkOnlyStorage storage, Memory<byte> data) => Move(storage.Handle, storage.Out, data);

    private void Move(UsbDeviceHandle handle, byte endpoint, Memory<byte> data)
    {
        var queue = new Queue<(UsbTransfer Transfer, Task<int> End, int Length)>();
        try
        {
            for (int start = 0; start < data.Length; start += pieceLength)
            {
                UsbTransfer transfer = queue.Count < transfers ? handle.CreateTransfer() : Finish(queue.Dequeue());
                Memory<byte> piece = data.Slice(start, Math.Min(pieceLength, data.Length - start));
                transfer.SetBulkPinned(endpoint, piece, timeout: Machine.Patience);
                queue.Enqueue((transfer, transfer.SubmitAsync().AsTask(), piece.Length));
            }

            while (queue.TryDequeue(out (UsbTransfer Transfer, Task<int> End, int Length) oldest))
                Finish(oldest).Dispose();
        }
        finally
        {
            foreach ((UsbTransfer transfer, _, _) in queue)
                transfer.Dispose();
        }
    }

    private static UsbTransfer Finish((UsbTransfer Transfer, Task<int> End, int Length) piece)
    {
        Assert.Equal(piece.Length, piece.End.GetAwaiter().GetResult());
        return piece.Transfer;
    }
}
