namespace Native.LibUsb.Streaming;

// These members read the ring as bytes.
public sealed partial class UsbInputRing
{
    /// <summary>
    /// Returns a stream that reads the ring's data. The ring must have been started with <see cref="Start()"/>, and the stream must be the ring's only reader.
    /// </summary>
    /// <param name="boundary">The meaning of short and zero-length packets.</param>
    /// <param name="loss">The reaction to missing bytes.</param>
    /// <returns>The stream. Disposing the stream does not stop the ring.</returns>
    /// <exception cref="ArgumentException">The ring is isochronous, and <paramref name="boundary"/> is not <see cref="UsbReadBoundary.None"/>.</exception>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbInputStream AsStream(UsbReadBoundary boundary, UsbReadLoss loss = UsbReadLoss.Throw)
    {
        CheckBytes(boundary);
        return new UsbInputStream(this, boundary, loss);
    }

    /// <summary>
    /// Returns a pipe reader that reads the ring's data without copying it. The ring must have been started with <see cref="Start()"/>, and the pipe reader
    /// must be the ring's only reader.
    /// </summary>
    /// <param name="boundary">The meaning of short and zero-length packets.</param>
    /// <param name="loss">The reaction to missing bytes.</param>
    /// <returns>The reader. Completing the reader does not stop the ring.</returns>
    /// <exception cref="ArgumentException">The ring is isochronous, and <paramref name="boundary"/> is not <see cref="UsbReadBoundary.None"/>.</exception>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbPipeReader AsPipeReader(UsbReadBoundary boundary, UsbReadLoss loss = UsbReadLoss.Throw)
    {
        CheckBytes(boundary);
        return new UsbPipeReader(this, boundary, loss);
    }

    /// <summary>Takes the bytes of the next transfer, if that transfer has ended.</summary>
    internal bool TryTakeBytes(UsbReadBoundary boundary, UsbReadLoss loss, out TransferBytes bytes)
    {
        RingTransfer? transfer = TakeNext(RingTransferState.Lent);
        bytes = transfer is null ? default : TransferBytes.Of(transfer, boundary, loss);
        return transfer is not null;
    }

    /// <summary>Waits until the ring signals that its state may have changed. The caller then checks the state.</summary>
    internal ValueTask WaitForChangeAsync(CancellationToken cancellationToken) => _signal.WaitAsync(cancellationToken);

    /// <summary>Blocks the thread until the ring signals that its state may have changed. The caller then checks the state.</summary>
    /// <returns>False if the time ran out.</returns>
    internal bool WaitForChange(TimeSpan timeout)
    {
        CallbackScope.ThrowIfInside(Handle.Context.NativeHandle, "wait for data");
        return _signal.Wait(timeout);
    }

    /// <summary>Wakes a waiting reader, so that it checks the ring's state again.</summary>
    internal void Nudge() => _signal.Set();

    /// <summary>
    /// Gets whether no more data will arrive. The caller must read the property before it takes the remaining data. Otherwise, it could miss data that arrives
    /// between the two steps.
    /// </summary>
    internal bool HasEnded => Engine.Run.IsAtRest;

    /// <summary>Throws if the ring has failed or is disposed. A reader calls the method at the end of the data.</summary>
    internal void ThrowIfBroken()
    {
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        ThrowIfFailed();
    }

    /// <summary>Returns the exception that a reader of bytes throws where bytes are missing.</summary>
    internal UsbException LossOf(UsbError error) => new(error, $"read all of endpoint 0x{Endpoint:x2}", hint: error == UsbError.DataLost
        ? "The reader was too slow, so the ring dropped data at this position. The next read continues after the missing data."
        : "A transfer failed, so data is missing at this position. The next read continues after the missing data.");

    private void CheckBytes(UsbReadBoundary boundary)
    {
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        if (boundary != UsbReadBoundary.None && Configuration.IsIsochronous)
            throw new ArgumentException("Isochronous packets are not messages.", nameof(boundary));
        if (!_pulled)
            throw new InvalidOperationException("Start the ring first, with the Start that takes no handler.");
    }
}
