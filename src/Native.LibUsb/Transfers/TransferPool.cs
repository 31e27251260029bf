namespace Native.LibUsb;

/// <summary>Represents a pool of transfers for awaited calls. With the pool, a call usually allocates no memory. The pool takes no lock.</summary>
/// <param name="handle">The device handle that creates the transfers.</param>
/// <param name="owner">The claim that disposes the transfers; null for the pool of the device handle.</param>
internal sealed class TransferPool(UsbDeviceHandle handle, UsbInterface? owner)
{
    // The largest number of idle transfers. If more calls run at the same time, the pool creates more transfers, and later disposes the transfers for which the
    // pool has no room.
    private const int MostIdle = 64;

    private readonly PooledTransfer?[] _idle = new PooledTransfer?[MostIdle];
    private bool _isDropped;

    /// <summary>Takes an idle transfer from the pool, or creates a new one.</summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public PooledTransfer Rent()
    {
        foreach (ref PooledTransfer? place in _idle.AsSpan())
        {
            if (Volatile.Read(ref place) is not null && Interlocked.Exchange(ref place, null) is { } idle)
            {
                if (!idle.Transfer.IsDisposed)
                    return idle;
            }
        }

        return new PooledTransfer(handle.MakeTransfer(0, UsbTransferFlags.None, owner), this);
    }

    /// <summary>Returns a transfer to the pool.</summary>
    public void Return(PooledTransfer transfer)
    {
        foreach (ref PooledTransfer? place in _idle.AsSpan())
        {
            if (Volatile.Read(ref place) is null && Interlocked.CompareExchange(ref place, transfer, null) is null)
            {
                if (Volatile.Read(ref _isDropped)) // read after the transfer is stored, so that this thread or the thread in Drop disposes the transfer
                    Drop();
                return;
            }
        }

        transfer.Transfer.Dispose();
    }

    /// <summary>Disposes the idle transfers. From now on, every transfer that is returned to the pool is disposed.</summary>
    public void Drop()
    {
        Volatile.Write(ref _isDropped, true);
        foreach (ref PooledTransfer? place in _idle.AsSpan())
            Interlocked.Exchange(ref place, null)?.Transfer.Dispose();
    }
}
