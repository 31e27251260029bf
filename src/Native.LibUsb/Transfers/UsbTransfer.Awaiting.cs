using System.Runtime.CompilerServices;
using System.Buffers;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods with which a program awaits the end of a transfer instead of using a callback.
public sealed unsafe partial class UsbTransfer : IAsyncDisposable
{
    // The first awaited submission creates this object, and all later ones use it again.
    private TransferCompletion? _completion;

    // While an awaited submission is in flight, this field is equal to _completion. Otherwise the field is null. Before a thread sets this field, it sets
    // InFlight in _state, so that no other thread can submit the transfer.
    private TransferCompletion? _awaited;

    // The task that DisposeAsync returns. When the transfer is freed, a completed task replaces it for later callers.
    private TaskCompletionSource? _released;
    private static readonly TaskCompletionSource s_released = Completed();

    /// <summary>
    /// Gets or sets whether code that awaits the transfer continues on the event thread, inside libusb's callback. The event thread is the fastest choice, but
    /// the rules of a callback apply to the code: the code must not block, use synchronous transfers or open a device. By default, the property is false, and
    /// the code continues on the thread pool. If the awaiting code has a synchronization context, such as that of a window, the property has no effect, and the
    /// code continues in that context. A change of the property takes effect at the next submission.
    /// </summary>
    public bool ContinueOnEventThread { get; set; }

    /// <summary>
    /// Submits the transfer (<c>libusb_submit_transfer</c>) and waits for its end without blocking. <see cref="Callback"/> is not called for this submission.
    /// The context's event thread is started if no thread handles events (see <see cref="UsbContextOptions.ManualEventHandling"/>). Await the result once,
    /// before the next submission. After the first submission of the transfer, the method allocates memory only if a submission fails.
    /// </summary>
    /// <param name="cancellationToken">
    /// A token that cancels the transfer. When the token is cancelled, the library cancels the transfer as <see cref="Cancel"/> does. The returned task
    /// completes only after libusb's callback. Until then, the program must not use the buffer. If the transfer has already ended, the task has the result of
    /// the transfer, as if the token were not cancelled.
    /// </param>
    /// <returns>
    /// The number of bytes that were transferred. For an isochronous transfer, this is the sum over its packets, and <see cref="IterIso"/> returns the status
    /// of each packet.
    /// </returns>
    /// <exception cref="UsbTransferCanceledException">
    /// The transfer was cancelled, or was disposed while in flight. The exception contains the number of bytes that were transferred.
    /// </exception>
    /// <exception cref="UsbException">
    /// libusb refused the transfer (see <see cref="Submit"/>), or the transfer failed with <see cref="UsbError.Timeout"/>, <see cref="UsbError.Pipe"/>,
    /// <see cref="UsbError.NoDevice"/>, <see cref="UsbError.Overflow"/> or <see cref="UsbError.IO"/>. The exception contains the number of bytes that were
    /// transferred.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The transfer is already submitted, the transfer was never configured, or the alternate setting of its interface is being changed.
    /// </exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    /// <exception cref="ObjectDisposedException">The transfer or its device handle is disposed.</exception>
    public ValueTask<int> SubmitAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return TransferCompletion.CanceledAsync(cancellationToken);
        TransferCompletion completion = Completion;
        UsbError error = TrySubmitAwaited(cancellationToken);
        if (error == UsbError.Closed)
            return TransferCompletion.CanceledAsync(CancellationToken.None);
        return error == UsbError.Success
            ? new ValueTask<int>(completion, completion.Token)
            : ValueTask.FromException<int>(SubmitFailure(error));
    }

    /// <summary>
    /// Submits the transfer as <see cref="SubmitAsync"/> does, but returns an error where <see cref="SubmitAsync"/> throws <see cref="UsbException"/> or
    /// <see cref="UsbTransferCanceledException"/>.
    /// </summary>
    /// <param name="cancellationToken">A token that cancels the transfer.</param>
    /// <returns>The error, if any, and the number of bytes that were transferred.</returns>
    /// <exception cref="InvalidOperationException">
    /// The transfer is already submitted, the transfer was never configured, or the alternate setting of its interface is being changed.
    /// </exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    /// <exception cref="ObjectDisposedException">The transfer or its device handle is disposed.</exception>
    public ValueTask<UsbTransferOutcome> TrySubmitAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return new ValueTask<UsbTransferOutcome>(new UsbTransferOutcome(UsbError.Canceled, 0));
        TransferCompletion completion = Completion;
        UsbError error = TrySubmitAwaited(cancellationToken);
        return error == UsbError.Success
            ? new ValueTask<UsbTransferOutcome>(completion, completion.Token)
            : new ValueTask<UsbTransferOutcome>(new UsbTransferOutcome(error, 0));
    }

    /// <summary>
    /// Disposes the transfer as <see cref="Dispose"/> does, and waits without blocking until the transfer's native memory is freed. A transfer in flight is
    /// cancelled, and the wait then ends after the transfer's callback. The context's event thread is started if no thread handles events.
    /// </summary>
    /// <returns>
    /// A task that completes when the transfer is freed. If the transfer's own callback calls this method, the task completes after the callback.
    /// </returns>
    public ValueTask DisposeAsync()
    {
        TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        released = Interlocked.CompareExchange(ref _released, released, null) ?? released;
        Dispose();
        if (!released.Task.IsCompleted)
            _handle.Context.RequireEvents();
        return new ValueTask(released.Task);
    }

    internal Exception Failure(UsbTransferOutcome outcome) =>
        new UsbException(
            outcome.Error, $"finish the {_type} transfer on endpoint 0x{_endpoint:x2}", outcome.BytesTransferred,
            TransferHint.ForMove(outcome.Error, _type, _buffer.Length, outcome.Error == UsbError.Overflow ? _handle.Claims.PacketSizeOf(_endpoint) : 0));

    /// <summary>Gets the source of the results of awaited submissions.</summary>
    internal TransferCompletion Completion =>
        _completion ?? Interlocked.CompareExchange(ref _completion, new TransferCompletion(this), null) ?? _completion;

    /// <summary>
    /// Submits the transfer for code that awaits its <see cref="Completion"/>. If the token is already cancelled, the transfer is cancelled immediately.
    /// </summary>
    internal UsbError TrySubmitAwaited(CancellationToken cancellationToken)
    {
        _handle.Context.RequireEvents();
        return TrySubmit(Completion, cancellationToken);
    }

    /// <summary>Removes the program's pinned memory from a transfer that is not in flight.</summary>
    /// <param name="pin">The pin of the memory. The caller of this method disposes the pin. The disposal may run code of the program.</param>
    /// <returns>False if the transfer cannot be used again.</returns>
    internal bool TryTakePin(out MemoryHandle pin)
    {
        pin = default;
        try
        {
            using var setting = new SettingScope(this, ignored: SettingChanges); // the pin can be removed while the alternate setting is being changed
            if (setting.IsRefused)
                return false;
            pin = _buffer.TakePin();
            UseBuffer();
            return true;
        }
        catch (InvalidOperationException) // another thread has disposed or doomed the transfer
        {
            return false;
        }
    }

    /// <summary>
    /// Ends an awaited submission. libusb has completed the transfer. The transfer's state is still InFlight, so no other thread can submit the transfer.
    /// </summary>
    private void CompleteAwaited(TransferCompletion completion)
    {
        _awaited = null;
        if (!completion.Answer.IsEmpty)
            CopyAnswer(completion); // before the state changes, because afterwards another thread can release the transfer
        completion.End(new UsbTransferOutcome(UsbTransferOutcome.ErrorOf(_status), BytesTransferred()));
        Volatile.Write(ref _state, InCallback);
        completion.Signal();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CopyAnswer(TransferCompletion completion)
    {
        Span<byte> data = _buffer.From(UsbControlSetup.Size);
        completion.CopyAnswer(data[..Math.Min(_actualLength, data.Length)]);
    }

    private static TaskCompletionSource Completed()
    {
        TaskCompletionSource completed = new();
        completed.SetResult();
        return completed;
    }

    private int BytesTransferred()
    {
        if (_native->type != (byte)UsbTransferType.Isochronous)
            return _actualLength;
        int sum = 0;
        libusb_iso_packet_descriptor* packets = _native->iso_packet_desc;
        for (int i = 0; i < _native->num_iso_packets; i++)
            sum += (int)packets[i].actual_length;
        return sum;
    }
}
