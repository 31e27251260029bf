namespace Native.LibUsb;

/// <summary>Keeps transfers for awaited calls, so that a call allocates nothing in the steady state. It takes no lock.</summary>
/// <param name="handle">The device handle that makes the transfers.</param>
/// <param name="owner">The claim that disposes them; null for the handle's own.</param>
internal sealed class TransferPool(UsbDeviceHandle handle, UsbInterface? owner)
{
    // More calls at the same time make more transfers, which are then not kept.
    private const int MostIdle = 64;

    private readonly PooledTransfer?[] _idle = new PooledTransfer?[MostIdle];
    private bool _isDropped;

    /// <summary>Takes an idle transfer, or makes one.</summary>
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

    /// <summary>Takes a transfer back.</summary>
    public void Return(PooledTransfer transfer)
    {
        foreach (ref PooledTransfer? place in _idle.AsSpan())
        {
            if (Volatile.Read(ref place) is null && Interlocked.CompareExchange(ref place, transfer, null) is null)
            {
                if (Volatile.Read(ref _isDropped)) // looked at after the transfer is in its place, so that one of the two threads disposes it
                    Drop();
                return;
            }
        }

        transfer.Transfer.Dispose();
    }

    /// <summary>Disposes the idle transfers, and from now on those that are taken back.</summary>
    public void Drop()
    {
        Volatile.Write(ref _isDropped, true);
        foreach (ref PooledTransfer? place in _idle.AsSpan())
            Interlocked.Exchange(ref place, null)?.Transfer.Dispose();
    }
}
