using System.Globalization;
using System.Threading.Tasks.Sources;

namespace Native.LibUsb;

/// <summary>
/// Represents the awaitable of a transfer: one for each transfer that was ever awaited, used again for each submission, so that waiting allocates nothing.
/// </summary>
internal sealed class TransferCompletion : IValueTaskSource<int>, IValueTaskSource<UsbTransferOutcome>
{
    private readonly UsbTransfer _transfer;
    private ManualResetValueTaskSourceCore<UsbTransferOutcome> _core;
    private UsbTransferOutcome _outcome;
    private CancellationToken _cancellationToken;
    private CancellationTokenRegistration _cancellation;

    // Where a cancellation is that a log handler has requested, and that the thread pool makes.
    private const int NoCancellation = 0;
    private const int CancellationQueued = 1;
    private const int CancellationRuns = 2;
    private int _laterCancellation;

    // The thread that is signalling; 0 when none is. Only the next submission of a transfer that no thread awaited can meet it.
    private int _signalling;

    // Code that goes on inside the signal. The signal is done before it runs, because it may wait for the next submission.
    private Action<object?>? _inline;
    private object? _inlineState;

    public TransferCompletion(UsbTransfer transfer) => _transfer = transfer;

    // Why the answer could not be copied: the caller's memory threw it.
    private Exception? _copyFailure;

    /// <summary>
    /// Gets or sets where the answer of a control request is copied to when it ends; empty for everything else. The transfer is not released before that.
    /// </summary>
    public Memory<byte> Answer { get; set; }

    /// <summary>Gets the token that the awaiting code holds for this submission.</summary>
    public short Token => _core.Version;

    /// <summary>Gets whether the token of this submission was cancelled.</summary>
    public bool IsCancellationRequested => _cancellationToken.IsCancellationRequested;

    /// <summary>Gets the result of a submission whose token is cancelled already.</summary>
    /// <remarks>An async method, because only what such a method throws makes a task that counts as cancelled and still has our exception.</remarks>
    public static async ValueTask<int> CanceledAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        throw cancellationToken.IsCancellationRequested
            ? new UsbTransferCanceledException(0, cancellationToken)
            : new UsbTransferCanceledException("Nothing was submitted, because the interface, the device handle or the context is closing.", 0);
    }

    /// <summary>Begins a submission. The caller has the transfer to itself and has not submitted it yet.</summary>
    public void Begin(CancellationToken cancellationToken)
    {
        int self = Environment.CurrentManagedThreadId;
        var spin = new SpinWait();
        while (Volatile.Read(ref _signalling) is var thread && thread != 0 && thread != self)
            spin.SpinOnce();

        _core.Reset();
        _copyFailure = null;
        _core.RunContinuationsAsynchronously = !_transfer.ContinueOnEventThread;
        _cancellationToken = cancellationToken;
        _cancellation = cancellationToken.UnsafeRegister(static self => ((TransferCompletion)self!).Cancel(), this);
    }

    /// <summary>
    /// Ends what <see cref="Begin"/> began with the token: after it the token cancels nothing any more, so that it never hits the next
    /// submission. A cancellation that is just being made is awaited; it does not block.
    /// </summary>
    public void EndCancellation()
    {
        _cancellation.Dispose();
        _cancellation = default;
        if (Volatile.Read(ref _laterCancellation) != NoCancellation)
            EndLaterCancellation();
    }

    /// <summary>Copies the answer of a control request. It is called inside libusb's frames: no exception leaves it, and the awaiting code gets it
    /// instead.</summary>
    public void CopyAnswer(ReadOnlySpan<byte> data)
    {
        try
        {
            data.CopyTo(Answer.Span);
        }
        catch (Exception exception)
        {
            _copyFailure = exception;
        }

        Answer = default;
    }

    /// <summary>Notes how the submission ended. From here until <see cref="Signal"/> is done another submission waits.</summary>
    public void End(UsbTransferOutcome outcome)
    {
        EndCancellation();
        _outcome = outcome;
        Volatile.Write(ref _signalling, Environment.CurrentManagedThreadId);
    }

    /// <summary>Wakes the awaiting code, which may submit the transfer again before this returns, on this thread or on another one.</summary>
    public void Signal()
    {
        try
        {
            _core.SetResult(_outcome);
        }
        finally
        {
            EndSignal();
        }
    }

    // The token is cancelled. A log handler that does it has libusb below it, which holds its locks.
    private void Cancel()
    {
        if (!LogScope.IsInside)
        {
            _transfer.TryCancel();
            return;
        }

        Volatile.Write(ref _laterCancellation, CancellationQueued);
        ThreadPool.UnsafeQueueUserWorkItem(static self => self.CancelLater(), this, preferLocal: false);
    }

    private void CancelLater()
    {
        // Withdrawn when its submission has ended. If another submission has queued its own since, this one has the same effect.
        if (Interlocked.CompareExchange(ref _laterCancellation, CancellationRuns, CancellationQueued) != CancellationQueued)
            return;
        _transfer.TryCancel();
        Volatile.Write(ref _laterCancellation, NoCancellation);
    }

    private void EndLaterCancellation()
    {
        var spin = new SpinWait();
        while (Interlocked.CompareExchange(ref _laterCancellation, NoCancellation, CancellationQueued) == CancellationRuns)
            spin.SpinOnce();
    }

    ValueTaskSourceStatus IValueTaskSource<UsbTransferOutcome>.GetStatus(short token) => _core.GetStatus(token);

    UsbTransferOutcome IValueTaskSource<UsbTransferOutcome>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token)
    {
        ValueTaskSourceStatus status = _core.GetStatus(token);
        return status != ValueTaskSourceStatus.Succeeded ? status : _outcome.Error switch
        {
            UsbError.Success => _copyFailure is null ? status : ValueTaskSourceStatus.Faulted,
            UsbError.Canceled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Faulted,
        };
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        UsbTransferOutcome outcome = _core.GetResult(token);
        return outcome.Error switch
        {
            UsbError.Success => _copyFailure is null ? outcome.BytesTransferred : throw _copyFailure,
            UsbError.Canceled when !IsCancellationRequested && _transfer.DisposedOwner is { } owner => throw new UsbTransferCanceledException(
                string.Create(CultureInfo.InvariantCulture, $"The transfer was cancelled after {outcome.BytesTransferred} bytes because the {owner} was disposed."), outcome.BytesTransferred),
            UsbError.Canceled => throw new UsbTransferCanceledException(outcome.BytesTransferred, IsCancellationRequested ? _cancellationToken : default),
            _ => throw _transfer.Failure(outcome),
        };
    }

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<UsbTransferOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        OnCompleted(continuation, state, token, flags);

    private void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        // The place is taken only by code that waits for an earlier submission, against the rules, or by code that awaits the same one: that is refused here.
        if (_core.RunContinuationsAsynchronously || Interlocked.CompareExchange(ref _inline, continuation, null) is not null)
        {
            _core.OnCompleted(continuation, state, token, flags);
            return;
        }

        _inlineState = state;
        try
        {
            _core.OnCompleted(static self => ((TransferCompletion)self!).RunInline(), this, token, flags);
        }
        catch
        {
            _inline = null;
            throw;
        }
    }

    // The core is done with this submission when it calls this: it has read everything, and touches nothing afterwards.
    private void RunInline()
    {
        Action<object?> continuation = _inline!;
        object? state = _inlineState;
        _inlineState = null;
        Volatile.Write(ref _inline, null);
        EndSignal(); // does nothing on a thread of the pool or of a window, which the core has sent it to
        continuation(state);
    }

    // Only a thread itself ends its signal.
    private void EndSignal()
    {
        if (Volatile.Read(ref _signalling) == Environment.CurrentManagedThreadId)
            Volatile.Write(ref _signalling, 0);
    }
}
