using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

// Reading by code of the program's own. One reader at a time.
public sealed partial class UsbInputRing
{
    /// <summary>Takes the next buffer if it is there. For one reader at a time.</summary>
    /// <param name="buffer">The buffer, which the caller disposes: then it is submitted again.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="InvalidOperationException">The ring was not started, or gives its data to a handler.</exception>
    public bool TryTake(out UsbInputBuffer buffer)
    {
        RingTransfer? transfer = TakeNext(RingTransferState.Lent);
        if (transfer is null && !_pulled)
            ThrowNotRead();
        buffer = transfer is null ? default : new UsbInputBuffer(transfer);
        return transfer is not null;
    }

    /// <summary>Takes the next buffer, and waits for it on this thread.</summary>
    /// <param name="buffer">The buffer, which the caller disposes.</param>
    /// <param name="timeout">How long to wait; null and <see cref="Timeout.InfiniteTimeSpan"/> are without a limit, zero is not to wait.</param>
    /// <returns>False: the time ran out, or the ring has stopped and all is read (see <see cref="UsbRing.IsRunning"/>).</returns>
    /// <exception cref="UsbException">The ring has failed, and all that had arrived before is read.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="InvalidOperationException">It would have to wait in a callback for an event that only follows the callback.</exception>
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

    /// <summary>Waits until there is a buffer to take with <see cref="TryTake(out UsbInputBuffer)"/>. Allocates nothing.</summary>
    /// <param name="cancellationToken">Ends the wait, not the ring.</param>
    /// <returns>False: the ring has stopped, and all is read.</returns>
    /// <exception cref="UsbException">The ring has failed, and all that had arrived before is read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            bool ended = Engine.Run.IsAtRest; // first: what came before is seen below
            if (HasNext())
                return true;
            if (!_pulled)
                ThrowNotRead();
            if (ended)
            {
                ThrowIfFailed();
                return false;
            }

            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the next buffer, and waits for it.</summary>
    /// <param name="cancellationToken">Ends the wait, not the ring.</param>
    /// <returns>The buffer, which the caller disposes; an empty one (<see cref="UsbInputBuffer.IsNone"/>) when the ring has stopped and all is read.</returns>
    /// <exception cref="UsbException">The ring has failed, and all that had arrived before is read.</exception>
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

    /// <summary>Reads until the ring stops. Each buffer is the ring's again when the next one is requested.</summary>
    /// <param name="cancellationToken">Ends the reading, not the ring.</param>
    /// <returns>The buffers in order.</returns>
    /// <exception cref="UsbException">The ring has failed, and all that had arrived before is read.</exception>
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
        ended = Engine.Run.IsAtRest; // first: what came before is taken below
        if (TryTake(out buffer))
            return true;
        if (ended)
            ThrowIfFailed();
        return false;
    }

    [DoesNotReturn]
    private void ThrowNotRead()
    {
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
        bool has = transfer is { State: RingTransferState.Done };
        engine.Lock.Exit();
        return has;
    }
}
