namespace Native.LibUsb.Streaming;

// Writing it as bytes.
public sealed partial class UsbOutputRing
{
    /// <summary>Returns a stream that writes to the endpoint. For a ring that was started with <see cref="Start()"/>, and instead of its other writers.</summary>
    /// <param name="boundary">Whether the ends of messages are marked.</param>
    /// <returns>The stream. Disposing it flushes it, and leaves the ring as it is.</returns>
    /// <exception cref="ArgumentException">Isochronous packets are not messages, or the ring's transfers have less than one packet.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or has a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbOutputStream AsStream(UsbWriteBoundary boundary)
    {
        CheckBytes(boundary);
        return new UsbOutputStream(this, boundary);
    }

    /// <summary>
    /// Returns a pipe that writes to the endpoint from the memory of the ring. For a ring that was started with <see cref="Start()"/>, and instead of its
    /// other writers.
    /// </summary>
    /// <param name="boundary">Whether the ends of messages are marked.</param>
    /// <returns>The writer. Completing it sends what was written, and leaves the ring as it is.</returns>
    /// <exception cref="ArgumentException">Isochronous packets are not messages, or the ring's transfers have less than one packet.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or has a handler.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public UsbPipeWriter AsPipeWriter(UsbWriteBoundary boundary)
    {
        CheckBytes(boundary);
        return new UsbPipeWriter(this, boundary);
    }

    /// <summary>Lets who waits look again.</summary>
    internal void Nudge() => Signal.Set();

    /// <summary>Waits until something may have changed.</summary>
    /// <exception cref="InvalidOperationException">The ring does not run.</exception>
    /// <exception cref="UsbException">The ring has failed.</exception>
    internal ValueTask WaitForChangeAsync(CancellationToken cancellationToken)
    {
        ThrowIfAtRest();
        return Signal.WaitAsync(cancellationToken);
    }

    /// <summary>Waits on this thread until the device has taken all that was committed.</summary>
    /// <returns>False: the time ran out.</returns>
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
            throw new InvalidOperationException("The ring has a handler: start it with the Start that takes none.");
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
