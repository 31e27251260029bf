using System.Threading.Tasks.Sources;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Tells one waiting thread, or one awaiting piece of code, that there may be something to do. It stays set until somebody has waited for it.
/// After the first waits it allocates nothing.
/// </summary>
#pragma warning disable CA1001 // the event is left to the collector: a thread may still wait for it when the ring is disposed
internal sealed class RingSignal : IValueTaskSource
#pragma warning restore CA1001
{
    private const int Unset = 0;
    private const int IsSet = 1;
    private const int Awaited = 2;

    private readonly AutoResetEvent _event = new(false);
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _cancellation;
    private int _state;

    public RingSignal(bool continueInline) => _core.RunContinuationsAsynchronously = !continueInline;

    /// <summary>Sets it. What awaits may go on before this returns: hold no lock.</summary>
    public void Set()
    {
        int before = Interlocked.Exchange(ref _state, IsSet);
        if (before == Awaited)
        {
            Volatile.Write(ref _state, Unset);
            _core.SetResult(true);
        }
        else
        {
            _event.Set();
        }
    }

    /// <summary>Waits on this thread.</summary>
    /// <returns>False: the time ran out.</returns>
    public bool Wait(TimeSpan timeout)
    {
        if (Interlocked.CompareExchange(ref _state, Unset, IsSet) == IsSet)
            return true;
        bool signaled = _event.WaitOne(timeout);
        Interlocked.CompareExchange(ref _state, Unset, IsSet);
        return signaled;
    }

    /// <summary>Waits without a thread. One at a time.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (Interlocked.CompareExchange(ref _state, Unset, IsSet) == IsSet)
            return ValueTask.CompletedTask;

        _core.Reset();
        short token = _core.Version;
        _cancellation = cancellationToken.UnsafeRegister(static (self, cancelled) => ((RingSignal)self!).Cancel(cancelled), this);
        if (Interlocked.CompareExchange(ref _state, Awaited, Unset) != Unset)
        {
            // set in the meantime
            Volatile.Write(ref _state, Unset);
            _core.SetResult(true);
        }
        else if (cancellationToken.IsCancellationRequested)
        {
            Cancel(cancellationToken); // it came before there was anything to cancel
        }

        return new ValueTask(this, token);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Unset, Awaited) == Awaited)
            _core.SetException(new OperationCanceledException(cancellationToken));
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        _core.GetResult(token);
    }
}
