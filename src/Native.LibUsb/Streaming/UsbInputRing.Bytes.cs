namespace Native.LibUsb.Streaming;

// Reading it as bytes.
public sealed partial class UsbInputRing
{
    /// <summary>Returns a stream that reads what arrives. For a ring that was started with <see cref="Start()"/>, and instead of its other readers.</summary>
    /// <param name="boundary">What short and zero-length packets mean.</param>
    /// <param name="loss">What is done where bytes are missing.</param>
    /// <returns>The stream. Disposing it leaves the ring as it is.</returns>
    /// <exception cref="ArgumentException">Isochronous packets are not messages.</exception>
    /// <exception cref="InvalidOperationException">The ring was not started, or gives its data to a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbInputStream AsStream(UsbReadBoundary boundary, UsbReadLoss loss = UsbReadLoss.Throw)
    {
        CheckBytes(boundary);
        return new UsbInputStream(this, boundary, loss);
    }

    /// <summary>
    /// Returns a pipe that reads what arrives without copying it. For a ring that was started with <see cref="Start()"/>, and instead of its other readers.
    /// </summary>
    /// <param name="boundary">What short and zero-length packets mean.</param>
    /// <param name="loss">What is done where bytes are missing.</param>
    /// <returns>The reader. Completing it leaves the ring as it is.</returns>
    /// <exception cref="ArgumentException">Isochronous packets are not messages.</exception>
    /// <exception cref="InvalidOperationException">The ring was not started, or gives its data to a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbPipeReader AsPipeReader(UsbReadBoundary boundary, UsbReadLoss loss = UsbReadLoss.Throw)
    {
        CheckBytes(boundary);
        return new UsbPipeReader(this, boundary, loss);
    }

    /// <summary>Takes what the next transfer brought, if it is there.</summary>
    internal bool TryTakeBytes(UsbReadBoundary boundary, UsbReadLoss loss, out TransferBytes bytes)
    {
        RingTransfer? transfer = TakeNext(RingTransferState.Lent);
        bytes = transfer is null ? default : TransferBytes.Of(transfer, boundary, loss);
        return transfer is not null;
    }

    /// <summary>Waits until something may have changed.</summary>
    internal ValueTask WaitForChangeAsync(CancellationToken cancellationToken) => _signal.WaitAsync(cancellationToken);

    /// <summary>Waits on this thread until something may have changed.</summary>
    /// <returns>False: the time ran out.</returns>
    internal bool WaitForChange(TimeSpan timeout)
    {
        CallbackScope.ThrowIfInside(Handle.Context.NativeHandle, "wait for data");
        return _signal.Wait(timeout);
    }

    /// <summary>Lets who waits look again.</summary>
    internal void Nudge() => _signal.Set();

    /// <summary>Gets whether nothing more comes. Look before what came before is taken.</summary>
    internal bool HasEnded => Engine.Run.IsAtRest;

    /// <summary>Throws at the end of the data, unless the program has stopped the ring, and can still know that it has read everything.</summary>
    internal void ThrowIfBroken()
    {
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        ThrowIfFailed();
    }

    /// <summary>Returns the exception for a reader of bytes where some are missing.</summary>
    internal UsbException LossOf(UsbError error) => new(error, $"read all of endpoint 0x{Endpoint:x2}", hint: error == UsbError.DataLost
        ? "The reader was late, and data was dropped here; the next read goes on behind it."
        : "A transfer failed here, and data is missing; the next read goes on behind it.");

    private void CheckBytes(UsbReadBoundary boundary)
    {
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        if (boundary != UsbReadBoundary.None && Configuration.IsIsochronous)
            throw new ArgumentException("Isochronous packets are not messages.", nameof(boundary));
        if (!_pulled)
            throw new InvalidOperationException("Start the ring first, with the Start that takes no handler.");
    }
}
