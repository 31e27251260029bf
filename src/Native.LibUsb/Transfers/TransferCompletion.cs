using System.Globalization;
using System.Threading.Tasks.Sources;

namespace Native.LibUsb;

/// <summary>
/// What <c>await</c> waits for: one for each transfer that was ever awaited, used again for each submission, so that waiting allocates nothing.
/// </summary>
internal sealed class TransferCompletion : IValueTaskSource<int>, IValueTaskSource<UsbTransferOutcome>
{
    private readonly UsbTransfer _transfer;
    private ManualResetValueTaskSourceCore<UsbTransferOutcome> _core;
    private UsbTransferOutcome _outcome;
    private CancellationToken _cancellationToken;
    private CancellationTokenRegistration _cancellation;

    // The thread that is signalling; 0 when none is. Only the next submission of a transfer that nobody awaited can meet it.
    private int _signalling;

    public TransferCompletion(UsbTransfer transfer) => _transfer = transfer;

    /// <summary>What the awaiting code holds for this submission.</summary>
    public short Token => _core.Version;

    /// <summary>Whether the token of this submission was cancelled.</summary>
    public bool IsCancellationRequested => _cancellationToken.IsCancellationRequested;

    /// <summary>What a submission gives whose token is cancelled already.</summary>
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
        _core.RunContinuationsAsynchronously = !_transfer.ContinueOnEventThread;
        _cancellationToken = cancellationToken;
        _cancellation = cancellationToken.UnsafeRegister(static transfer => ((UsbTransfer)transfer!).TryCancel(), _transfer);
    }

    /// <summary>
    /// Ends what <see cref="Begin"/> began with the token: after it the token cancels nothing any more, so that it never hits the next
    /// submission. A cancellation that is just being made is waited for; it does not block.
    /// </summary>
    public void EndCancellation()
    {
        _cancellation.Dispose();
        _cancellation = default;
    }

    /// <summary>Notes how the submission ended. From here until <see cref="Signal"/> is done another submission waits.</summary>
    public void End(UsbTransferOutcome outcome)
    {
        EndCancellation();
        _outcome = outcome;
        Volatile.Write(ref _signalling, Environment.CurrentManagedThreadId);
    }

    /// <summary>Wakes the awaiting code, which may submit the transfer again before this returns.</summary>
    public void Signal()
    {
        try
        {
            _core.SetResult(_outcome);
        }
        finally
        {
            Interlocked.CompareExchange(ref _signalling, 0, Environment.CurrentManagedThreadId);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<UsbTransferOutcome>.GetStatus(short token) => _core.GetStatus(token);

    UsbTransferOutcome IValueTaskSource<UsbTransferOutcome>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token)
    {
        ValueTaskSourceStatus status = _core.GetStatus(token);
        return status != ValueTaskSourceStatus.Succeeded ? status : _outcome.Error switch
        {
            UsbError.Success => status,
            UsbError.Canceled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Faulted,
        };
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        UsbTransferOutcome outcome = _core.GetResult(token);
        return outcome.Error switch
        {
            UsbError.Success => outcome.BytesTransferred,
            UsbError.Canceled when !IsCancellationRequested && _transfer.DisposedOwner is { } owner => throw new UsbTransferCanceledException(
                string.Create(CultureInfo.InvariantCulture, $"The transfer was cancelled after {outcome.BytesTransferred} bytes because the {owner} was disposed."), outcome.BytesTransferred),
            UsbError.Canceled => throw new UsbTransferCanceledException(outcome.BytesTransferred, IsCancellationRequested ? _cancellationToken : default),
            _ => throw _transfer.Failure(outcome),
        };
    }

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<UsbTransferOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
