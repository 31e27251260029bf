using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

// These members write to the ring without a handler.
public sealed partial class UsbOutputRing
{
    /// <summary>Takes a buffer to fill, if a buffer is free.</summary>
    /// <param name="buffer">The buffer, which the caller commits or disposes.</param>
    /// <returns>Whether a buffer was free.</returns>
    public bool TryAcquire(out UsbOutputBuffer buffer)
    {
        RingTransfer? transfer = Lend(onlyForQueue: false);
        buffer = transfer is null ? default : new UsbOutputBuffer(transfer);
        return transfer is not null;
    }

    /// <summary>Takes a buffer to fill. The method blocks the thread until a buffer is free.</summary>
    /// <param name="buffer">The buffer, which the caller commits or disposes.</param>
    /// <param name="timeout">The longest time to wait. Null and <see cref="Timeout.InfiniteTimeSpan"/> mean no limit; zero means no wait.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="InvalidOperationException">
    /// The ring is not running. The method also throws this exception if it was called in a callback and would have to wait.
    /// </exception>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    public bool TryAcquire(out UsbOutputBuffer buffer, TimeSpan? timeout)
    {
        var deadline = WaitDeadline.After(timeout);
        while (true)
        {
            if (TryAcquire(out buffer))
                return true;
            ThrowIfAtRest();
            TimeSpan left = deadline.Remaining;
            if (left == TimeSpan.Zero)
                return false;
            Wait(left);
        }
    }

    /// <summary>Takes a buffer to fill. The method waits until a buffer is free, and allocates nothing. Only one caller at a time may wait.</summary>
    /// <param name="cancellationToken">A token that cancels the wait, but does not stop the ring.</param>
    /// <returns>The buffer, which the caller commits or disposes.</returns>
    /// <exception cref="InvalidOperationException">The ring is not running.</exception>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UsbOutputBuffer> AcquireAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryAcquire(out UsbOutputBuffer buffer))
                return buffer;
            ThrowIfAtRest();
            await Signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the device has taken all committed bytes. The method must not be called while another caller waits for a buffer.</summary>
    /// <param name="cancellationToken">A token that cancels the wait, but does not stop the ring.</param>
    /// <returns>
    /// A task that completes when the device has taken all committed bytes. Zeros that the ring sends because of <see cref="UsbRingOptions.FillUnderruns"/> may
    /// still be in flight.
    /// </returns>
    /// <exception cref="InvalidOperationException">The ring was stopped before the device had taken all bytes.</exception>
    /// <exception cref="UsbException">The ring has failed. <see cref="UnsentBytes"/> is the number of bytes that the device has not taken.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        while (!_output.IsSent)
        {
            ThrowIfAtRest();
            await Signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void ThrowIfAtRest()
    {
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        if (!Engine.Run.IsAtRest)
            return;
        ThrowIfFailed();
        throw new InvalidOperationException("The ring is not running: call Start first.");
    }
}
