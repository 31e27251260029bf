using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

// Writing by code of the program's own.
public sealed partial class UsbOutputRing
{
    /// <summary>Takes a buffer to fill, if one is free.</summary>
    /// <param name="buffer">The buffer, which the caller commits or disposes.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryAcquire(out UsbOutputBuffer buffer)
    {
        RingTransfer? transfer = Lend(onlyForQueue: false);
        buffer = transfer is null ? default : new UsbOutputBuffer(transfer);
        return transfer is not null;
    }

    /// <summary>Takes a buffer to fill, and waits on this thread until one is free.</summary>
    /// <param name="buffer">The buffer, which the caller commits or disposes.</param>
    /// <param name="timeout">How long to wait; null and <see cref="Timeout.InfiniteTimeSpan"/> are without a limit, zero is not to wait.</param>
    /// <returns>False: the time ran out.</returns>
    /// <exception cref="InvalidOperationException">The ring does not run, or it would have to wait in a callback.</exception>
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

    /// <summary>Takes a buffer to fill, and waits until one is free. One caller at a time; allocates nothing.</summary>
    /// <param name="cancellationToken">Ends the wait, not the ring.</param>
    /// <returns>The buffer, which the caller commits or disposes.</returns>
    /// <exception cref="InvalidOperationException">The ring does not run.</exception>
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

    /// <summary>Waits until the device has taken all that was committed. Not while another caller waits for a buffer.</summary>
    /// <param name="cancellationToken">Ends the wait, not the ring.</param>
    /// <returns>Ends when nothing of it is in flight; the zeros of <see cref="UsbRingOptions.FillUnderruns"/> may be.</returns>
    /// <exception cref="InvalidOperationException">The ring was stopped before.</exception>
    /// <exception cref="UsbException">The ring has failed; <see cref="UnsentBytes"/> says how much the device has not taken.</exception>
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
        throw new InvalidOperationException("The ring does not run: call Start first.");
    }
}
