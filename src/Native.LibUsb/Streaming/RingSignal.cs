using System.Threading.Tasks.Sources;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Signals to one waiting thread or one awaiting method that there may be work. The signal stays set until a wait consumes it. After the first few waits,
/// waiting allocates nothing.
/// </summary>
/// <remarks>
/// <para>Setting the event <c>_event</c> costs a system call, so <see cref="Set"/> sets the event only while a thread waits. To detect such a thread,
/// <see cref="Set"/> writes the state and then reads the number of waiting threads. Before a thread waits, it increments this number and then reads the state.
/// Therefore, if <see cref="Set"/> reads the old number, the thread reads the new state and does not wait.</para>
/// <para>An awaiting method stores its continuation in the field <c>_core</c>. <see cref="Set"/> completes <c>_core</c> only after the continuation is stored.
/// Otherwise, the awaiting method could resume and begin its next wait while <c>_core</c> still looks up the continuation. <c>_core</c> would then find and run
/// the continuation of the next wait.</para>
/// </remarks>
#pragma warning disable CA1001 // the garbage collector frees the event, because a thread may still wait for it when the ring is disposed
internal sealed class RingSignal(bool continueInline) : IValueTaskSource
#pragma warning restore CA1001
{
    private const int Unset = 0;
    private const int IsSet = 1;

    // The state is Unset, IsSet, or a value from the method Awaited. A value from Awaited means that a continuation is stored. The value contains the number of
    // the wait, so a late cancellation of one wait cannot affect the next wait.
    private int _state;

    private int _waitingThreads;

    private readonly AutoResetEvent _event = new(false);
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _cancellationToken;

    /// <summary>Sets the signal. The code that awaits the signal may run before the method returns, so the caller must not hold a lock.</summary>
    public void Set()
    {
        int before = Interlocked.Exchange(ref _state, IsSet);
        if (before is Unset or IsSet)
        {
            if (Volatile.Read(ref _waitingThreads) > 0) // after the state was written with a full barrier
                _event.Set();
            return;
        }

        Volatile.Write(ref _state, Unset);
        _core.SetResult(true);
    }

    /// <summary>Blocks the thread until the signal is set.</summary>
    /// <returns>
    /// False if the time ran out. True does not mean that there is new work. If an earlier wait consumed the signal before the event was set, the event ends
    /// this wait without new work. The caller therefore checks its condition, and waits again if necessary.
    /// </returns>
    public bool Wait(TimeSpan timeout)
    {
        if (TryConsume())
            return true;
        Interlocked.Increment(ref _waitingThreads);
        try
        {
            if (TryConsume())
                return true;
            bool signaled = _event.WaitOne(timeout);
            TryConsume();
            return signaled;
        }
        finally
        {
            Interlocked.Decrement(ref _waitingThreads);
        }
    }

    /// <summary>Waits for the signal without blocking a thread. Only one wait at a time is allowed, and the caller must await the result.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (TryConsume())
            return ValueTask.CompletedTask;

        _core.Reset();
        _core.RunContinuationsAsynchronously = !continueInline;
        _cancellationToken = cancellationToken;
        // The next wait begins only after GetResult has disposed this registration. The callback below therefore always reads the version of this wait from
        // _core.Version.
        _cancellation = cancellationToken.UnsafeRegister(static (self, cancelled) => ((RingSignal)self!).Cancel(((RingSignal)self)._core.Version, cancelled), this);
        return new ValueTask(this, _core.Version);
    }

    private bool TryConsume() => Interlocked.CompareExchange(ref _state, Unset, IsSet) == IsSet;

    private static int Awaited(short token) => (token << 2) | 2;

    private void Cancel(short token, CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Unset, Awaited(token)) == Awaited(token))
            _core.SetException(new OperationCanceledException(cancellationToken));
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        CancellationToken cancellationToken = _cancellationToken; // read first, because the next wait may begin as soon as this wait can end
        _core.OnCompleted(continuation, state, token, flags);
        if (Interlocked.CompareExchange(ref _state, Awaited(token), Unset) == IsSet)
        {
            Volatile.Write(ref _state, Unset);
            _core.RunContinuationsAsynchronously = true; // the awaiting code is still suspending itself
            _core.SetResult(true);
        }
        else if (cancellationToken.IsCancellationRequested)
        {
            Cancel(token, cancellationToken); // the token was cancelled before the continuation was stored
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        _core.GetResult(token);
    }
}
