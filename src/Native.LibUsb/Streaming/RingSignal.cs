using System.Threading.Tasks.Sources;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Signals one waiting thread, or one awaiting piece of code, that there may be something to do. The signal stays set until a wait has consumed it.
/// After the first waits it allocates nothing.
/// </summary>
/// <remarks>
/// <para>The event, which costs a system call, is set only while a thread waits: the thread counts itself before it looks at the state, and <see cref="Set"/>
/// looks at the count after it has written the state.</para>
/// <para><see cref="Set"/> completes the core only when the awaiting code has left its continuation there. If it completed the core earlier, that code could see it,
/// go on, and wait again while the completion still looks for the continuation, and would find the next one.</para>
/// </remarks>
#pragma warning disable CA1001 // the event is left to the collector: a thread may still wait for it when the ring is disposed
internal sealed class RingSignal(bool continueInline) : IValueTaskSource
#pragma warning restore CA1001
{
    private const int Unset = 0;
    private const int IsSet = 1;

    // Or what Awaited gives: there is a continuation. Its number keeps a cancellation that comes late from the next wait.
    private int _state;

    private int _waitingThreads;

    private readonly AutoResetEvent _event = new(false);
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _cancellationToken;

    /// <summary>Sets the signal. The code that awaits it may go on before the method returns: the caller holds no lock.</summary>
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

    /// <summary>Waits on this thread.</summary>
    /// <returns>False if the time ran out. True may be a signal of an earlier wait: the caller looks, and waits again.</returns>
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

    /// <summary>Waits without a thread. One wait at a time, and its result must be awaited.</summary>
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
        // The end of the wait disposes of it: when it is called, the version is still that of this wait.
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
        CancellationToken cancellationToken = _cancellationToken; // the next wait may begin as soon as this one can be woken
        _core.OnCompleted(continuation, state, token, flags);
        if (Interlocked.CompareExchange(ref _state, Awaited(token), Unset) == IsSet)
        {
            Volatile.Write(ref _state, Unset);
            _core.RunContinuationsAsynchronously = true; // the code that awaits has not come to rest yet
            _core.SetResult(true);
        }
        else if (cancellationToken.IsCancellationRequested)
        {
            Cancel(token, cancellationToken); // it came before there was anything to cancel
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        _core.GetResult(token);
    }
}
