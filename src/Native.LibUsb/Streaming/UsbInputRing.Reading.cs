using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

// These members read the ring without a handler. Only one reader at a time is allowed.
public sealed partial class UsbInputRing
{
    /// <summary>Takes the next buffer if one is ready. Only one reader at a time is allowed.</summary>
    /// <param name="buffer">The buffer. When the caller disposes the buffer, the ring submits it again.</param>
    /// <returns>Whether a buffer was ready.</returns>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    public bool TryTake(out UsbInputBuffer buffer)
    {
        RingTransfer? transfer = TakeNext(RingTransferState.Lent);
        if (transfer is null)
            ThrowIfNotRead();
        buffer = transfer is null ? default : new UsbInputBuffer(transfer);
        return transfer is not null;
    }

    /// <summary>Takes the next buffer. The method blocks the thread until a buffer is ready.</summary>
    /// <param name="buffer">The buffer, which the caller disposes.</param>
    /// <param name="timeout">The longest time to wait. Null and <see cref="Timeout.InfiniteTimeSpan"/> mean no limit; zero means no wait.</param>
    /// <returns>False if the time ran out, or if the ring has stopped and all data was read (see <see cref="UsbRing.IsRunning"/>).</returns>
    /// <exception cref="UsbException">The ring has failed, and all data that arrived before the failure was read.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// The ring was not started, or passes its data to a handler. The method also throws this exception if it was called in a callback, and would have to wait
    /// for data that cannot arrive before the callback returns.
    /// </exception>
    public bool TryTake(out UsbInputBuffer buffer, TimeSpan? timeout)
    {
        var deadline = WaitDeadline.After(timeout);
        while (true)
        {
            if (TryTakeOrEnd(out buffer, out bool ended))
                return true;
            TimeSpan left = deadline.Remaining;
            if (ended || left == TimeSpan.Zero)
                return false;
            WaitForChange(left);
        }
    }

    /// <summary>Waits until the program can take a buffer with <see cref="TryTake(out UsbInputBuffer)"/>. The method allocates nothing.</summary>
    /// <param name="cancellationToken">A token that cancels the wait, but does not stop the ring.</param>
    /// <returns>True if a buffer is ready; false if the ring has stopped and all data was read.</returns>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    /// <exception cref="UsbException">The ring has failed, and all data that arrived before the failure was read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            bool ended = Engine.Run.IsAtRest; // read first, so that the code below finds all data that arrived before
            if (HasNext())
                return true;
            ThrowIfNotRead();
            if (ended)
            {
                ThrowIfFailed();
                return false;
            }

            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the next buffer. The method waits until a buffer is ready.</summary>
    /// <param name="cancellationToken">A token that cancels the wait, but does not stop the ring.</param>
    /// <returns>
    /// The buffer, which the caller disposes. If the ring has stopped and all data was read, the buffer's property <see cref="UsbInputBuffer.IsNone"/> is true.
    /// </returns>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    /// <exception cref="UsbException">The ring has failed, and all data that arrived before the failure was read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UsbInputBuffer> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryTakeOrEnd(out UsbInputBuffer buffer, out bool ended))
                return buffer;
            if (ended)
                return default;
            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads buffers until the ring stops. Each buffer belongs to the ring again when the caller requests the next buffer.</summary>
    /// <param name="cancellationToken">A token that cancels the reading, but does not stop the ring.</param>
    /// <returns>The buffers in order.</returns>
    /// <exception cref="InvalidOperationException">The ring was not started, or passes its data to a handler.</exception>
    /// <exception cref="UsbException">The ring has failed, and all data that arrived before the failure was read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async IAsyncEnumerable<UsbInputBuffer> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (!TryTakeOrEnd(out UsbInputBuffer buffer, out bool ended))
            {
                if (ended)
                    yield break;
                await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            try
            {
                yield return buffer;
            }
            finally
            {
                buffer.Dispose();
            }
        }
    }

    private bool TryTakeOrEnd(out UsbInputBuffer buffer, out bool ended)
    {
        ended = Engine.Run.IsAtRest; // read first, so that the code below takes all data that arrived before
        if (TryTake(out buffer))
            return true;
        if (ended)
            ThrowIfFailed();
        return false;
    }

    /// <summary>Throws if the ring was not started, or passes its data to a handler.</summary>
    internal void ThrowIfNotRead()
    {
        if (_pulled)
            return;
        ObjectDisposedException.ThrowIf(Engine.IsDisposed, this);
        throw new InvalidOperationException("To read the ring, call the Start that takes no handler first.");
    }

    private bool HasNext()
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        RingTransfer? transfer = engine.Queue.First;
        while (transfer is { State: RingTransferState.Done, IsEmptyAfterStop: true })
            transfer = engine.Queue.After(transfer);
        bool has = _pulled && transfer is { State: RingTransferState.Done }; // otherwise, the buffers that are ready belong to the handler
        engine.Lock.Exit();
        return has;
    }
}
