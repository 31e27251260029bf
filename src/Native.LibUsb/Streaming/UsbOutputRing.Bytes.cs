namespace Native.LibUsb.Streaming;

// These members write bytes to the ring.
public sealed partial class UsbOutputRing
{
    /// <summary>
    /// Returns a stream that writes to the endpoint. The ring must have been started with <see cref="Start()"/>, and the stream must be the ring's only writer.
    /// </summary>
    /// <param name="boundary">Whether the stream marks the ends of messages.</param>
    /// <returns>The stream. <see cref="Stream.Dispose()"/> flushes the stream, but does not stop the ring.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="boundary"/> is <see cref="UsbWriteBoundary.ShortPacket"/>, but the ring is isochronous or its transfers are shorter than one packet.
    /// Such a ring cannot mark the ends of messages.
    /// </exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or has a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbOutputStream AsStream(UsbWriteBoundary boundary)
    {
        CheckBytes(boundary);
        return new UsbOutputStream(this, boundary);
    }

    /// <summary>
    /// Returns a pipe writer that writes to the endpoint and uses the ring's memory. The ring must have been started with <see cref="Start()"/>, and the pipe
    /// writer must be the ring's only writer.
    /// </summary>
    /// <param name="boundary">Whether the pipe writer marks the ends of messages.</param>
    /// <returns>The writer. Completing the writer sends the bytes that were written, and does not stop the ring.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="boundary"/> is <see cref="UsbWriteBoundary.ShortPacket"/>, but the ring is isochronous or its transfers are shorter than one packet.
    /// Such a ring cannot mark the ends of messages.
    /// </exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or has a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbPipeWriter AsPipeWriter(UsbWriteBoundary boundary)
    {
        CheckBytes(boundary);
        return new UsbPipeWriter(this, boundary);
    }

    /// <summary>Wakes a waiting writer, so that it checks the ring's state again.</summary>
    internal void Nudge() => Signal.Set();

    /// <summary>Waits until the ring signals that its state may have changed. The caller then checks the state.</summary>
    /// <exception cref="InvalidOperationException">The ring is not running.</exception>
    /// <exception cref="UsbException">The ring has failed.</exception>
    internal ValueTask WaitForChangeAsync(CancellationToken cancellationToken)
    {
        ThrowIfAtRest();
        return Signal.WaitAsync(cancellationToken);
    }

    /// <summary>Blocks the thread until the device has taken all committed bytes.</summary>
    /// <returns>False if the time ran out.</returns>
    internal bool Flush(TimeSpan? timeout)
    {
        var deadline = WaitDeadline.After(timeout);
        while (!_output.IsSent)
        {
            ThrowIfAtRest();
            TimeSpan left = deadline.Remaining;
            if (left == TimeSpan.Zero)
                return false;
            Wait(left);
        }

        return true;
    }

    private void Wait(TimeSpan timeout)
    {
        CallbackScope.ThrowIfInside(Handle.Context.NativeHandle, "wait for the device");
        Signal.Wait(timeout);
    }

    private void CheckBytes(UsbWriteBoundary boundary)
    {
        ThrowIfAtRest();
        if (_pushes)
            throw new InvalidOperationException("The ring has a handler: to write bytes, start the ring with the Start that takes no handler.");
        if (boundary == UsbWriteBoundary.None)
            return;
        if (Configuration.IsIsochronous)
            throw new ArgumentException("Isochronous packets are not messages.", nameof(boundary));
        if (TransferSize < Configuration.MaxPacketSize)
        {
            throw new ArgumentException(
                $"The ring's transfers of {TransferSize} bytes would each end a message: they need at least one packet of {Configuration.MaxPacketSize} bytes.", nameof(boundary));
        }
    }
}
