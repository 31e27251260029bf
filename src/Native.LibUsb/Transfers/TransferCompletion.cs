using System.Globalization;
using System.Threading.Tasks.Sources;

namespace Native.LibUsb;

/// <summary>
/// Represents the awaitable result of a transfer. A transfer that is awaited has one such object and uses it again for each submission, so waiting
/// allocates no memory.
/// </summary>
internal sealed class TransferCompletion : IValueTaskSource<int>, IValueTaskSource<UsbTransferOutcome>
{
    private readonly UsbTransfer _transfer;
    private ManualResetValueTaskSourceCore<UsbTransferOutcome> _core;
    private UsbTransferOutcome _outcome;
    private CancellationToken _cancellationToken;
    private CancellationTokenRegistration _cancellation;

    // The states of a cancellation that a log handler has requested and that the thread pool carries out.
    private const int NoCancellation = 0;
    private const int CancellationQueued = 1;
    private const int CancellationRuns = 2;
    private int _laterCancellation;

    // The ID of the thread that is inside Signal; 0 if no thread is inside Signal. If the program submits the transfer again on another thread before Signal
    // has returned, Begin waits until the value is 0.
    private int _signalling;

    // The awaiting code that continues inside Signal. RunInline resets _signalling before it runs this code, so that Begin does not wait if the code submits
    // the transfer again on another thread.
    private Action<object?>? _inline;
    private object? _inlineState;

    public TransferCompletion(UsbTransfer transfer) => _transfer = transfer;

    // The exception that the caller's memory threw when the answer was copied.
    private Exception? _copyFailure;

    /// <summary>
    /// Gets or sets the memory to which the answer of a control request is copied when the request ends; empty for all other transfers. The transfer is
    /// released only after the answer has been copied.
    /// </summary>
    public Memory<byte> Answer { get; set; }

    /// <summary>Gets the <see cref="ValueTask"/> token of the current submission.</summary>
    public short Token => _core.Version;

    /// <summary>Gets whether the cancellation token of the current submission was cancelled.</summary>
    public bool IsCancellationRequested => _cancellationToken.IsCancellationRequested;

    /// <summary>
    /// Returns a cancelled task for a transfer that was not submitted, because the token was already cancelled or an owner of the transfer is closing.
    /// </summary>
    /// <remarks>
    /// Only an async method that throws can return a task that is canceled and also contains the library's exception.
    /// </remarks>
    public static async ValueTask<int> CanceledAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        throw cancellationToken.IsCancellationRequested
            ? new UsbTransferCanceledException(0, cancellationToken)
            : new UsbTransferCanceledException("Nothing was submitted, because the interface, the device handle or the context is closing.", 0);
    }

    /// <summary>Begins a submission. The calling thread has reserved the transfer, but has not passed the transfer to libusb yet.</summary>
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
    /// Ends the registration that <see cref="Begin"/> made with the cancellation token, so that the token cannot cancel the next submission. If the token's
    /// callback is running, the method waits until the callback has returned. The wait is short, because the callback does not block.
    /// </summary>
    public void EndCancellation()
    {
        _cancellation.Dispose();
        _cancellation = default;
        if (Volatile.Read(ref _laterCancellation) != NoCancellation)
            EndLaterCancellation();
    }

    /// <summary>
    /// Copies the answer of a control request. libusb's callback calls this method, so the method throws no exception. If the copy fails, the method stores the
    /// exception for the awaiting code.
    /// </summary>
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

    /// <summary>
    /// Stores the outcome of the submission. After this call, <see cref="Begin"/> on another thread waits until <see cref="Signal"/> has ended.
    /// </summary>
    public void End(UsbTransferOutcome outcome)
    {
        EndCancellation();
        _outcome = outcome;
        Volatile.Write(ref _signalling, Environment.CurrentManagedThreadId);
    }

    /// <summary>
    /// Completes the awaitable. While this method is still running, the awaiting code can already submit the transfer again, from this thread or from another
    /// thread.
    /// </summary>
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

    // Runs when the token is cancelled. If a log handler cancels the token, this thread holds libusb's locks. In this case, a thread of the thread pool cancels
    // the transfer instead.
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
        // This work item was queued to cancel one submission. If that submission has already ended, EndLaterCancellation has withdrawn the cancellation, so the
        // work item does nothing. But if a later submission has queued its own cancellation in the meantime, the work item performs that cancellation.
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
        // If the field _inline is already set, the program has made one of two mistakes: code still awaits an earlier submission, or the same submission is
        // awaited twice. In both cases, _core throws an exception for the second await.
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

    // _core calls this method as its last step for the submission. The continuation can therefore submit the transfer again, which resets _core.
    private void RunInline()
    {
        Action<object?> continuation = _inline!;
        object? state = _inlineState;
        _inlineState = null;
        Volatile.Write(ref _inline, null);
        EndSignal(); // has no effect if the core runs this method on the thread pool or in a synchronization context
        continuation(state);
    }

    // Only the thread that is inside Signal resets the field.
    private void EndSignal()
    {
        if (Volatile.Read(ref _signalling) == Environment.CurrentManagedThreadId)
            Volatile.Write(ref _signalling, 0);
    }
}
