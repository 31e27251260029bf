using System.Runtime.CompilerServices;
using System.Buffers;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Transfers that are awaited instead of called back.
public sealed unsafe partial class UsbTransfer : IAsyncDisposable
{
    // Made by the first awaited submission, and used again for each one.
    private TransferCompletion? _completion;

    // The same while an awaited submission is in flight, otherwise null. Written by the thread that has just taken the transfer for submission.
    private TransferCompletion? _awaited;

    // The task of the threads that wait for the release; after the release a completed task, for later callers.
    private TaskCompletionSource? _released;
    private static readonly TaskCompletionSource s_released = Completed();

    /// <summary>
    /// Gets or sets where code that awaits goes on: on the event thread inside libusb's callback, which is the quickest and under the same
    /// rules as a callback (nothing that blocks, no synchronous transfer, no opening), or on the thread pool (false, the default). Code with
    /// a synchronization context, such as a window's, goes on there. Read at each submission.
    /// </summary>
    public bool ContinueOnEventThread { get; set; }

    /// <summary>
    /// Submits the transfer (<c>libusb_submit_transfer</c>) and waits for its end without blocking. <see cref="Callback"/> is not called for it. The context's
    /// event thread is started if no thread handles events (see <see cref="UsbContextOptions.ManualEventHandling"/>). Await the result once, before the next
    /// submission. Nothing is allocated after the first submission, unless it fails.
    /// </summary>
    /// <param name="cancellationToken">
    /// Cancels the transfer at libusb. The wait ends after its callback, when the buffer is the program's again. A transfer that was quicker
    /// ends as it came to.
    /// </param>
    /// <returns>The bytes that moved; of an isochronous transfer the sum over its packets, whose status is read with <see cref="IterIso"/>.</returns>
    /// <exception cref="UsbTransferCanceledException">It was cancelled, also by disposing. It reports the bytes that had moved.</exception>
    /// <exception cref="UsbException">
    /// libusb refused it, as in <see cref="Submit"/>, or it failed: <see cref="UsbError.Timeout"/>, <see cref="UsbError.Pipe"/>,
    /// <see cref="UsbError.NoDevice"/>, <see cref="UsbError.Overflow"/>, <see cref="UsbError.IO"/>. It reports the bytes that had moved.
    /// </exception>
    /// <exception cref="InvalidOperationException">It is submitted already, was never configured, or the alternate setting of its interface is being
    /// changed.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
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

    /// <summary>Submits the transfer as <see cref="SubmitAsync"/>does, but returns the status instead of throwing an exception, also when libusb refuses it or it is
    /// cancelled.</summary>
    /// <param name="cancellationToken">Cancels the transfer at libusb.</param>
    /// <returns>The error, if any, and the bytes that moved.</returns>
    /// <exception cref="InvalidOperationException">It is submitted already, was never configured, or the alternate setting of its interface is being
    /// changed.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
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
    /// Disposes the transfer as <see cref="Dispose"/> does, and waits without blocking until it is freed: a transfer in flight is cancelled, and its callback has
    /// returned. The context's event thread is started if no thread handles events.
    /// </summary>
    /// <returns>Ends when nothing of the transfer is left. Awaited in its own callback, that comes after the callback.</returns>
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

    /// <summary>Gets the source of awaited results.</summary>
    internal TransferCompletion Completion =>
        _completion ?? Interlocked.CompareExchange(ref _completion, new TransferCompletion(this), null) ?? _completion;

    /// <summary>Submits the transfer for code that awaits its <see cref="Completion"/>. A token that is cancelled already cancels it at once.</summary>
    internal UsbError TrySubmitAwaited(CancellationToken cancellationToken)
    {
        _handle.Context.RequireEvents();
        return TrySubmit(Completion, cancellationToken);
    }

    /// <summary>Takes the caller's memory away from a transfer at rest.</summary>
    /// <param name="pin">The pin, which the caller disposes: that may run code of the program.</param>
    /// <returns>False if the transfer cannot be used again.</returns>
    internal bool TryTakePin(out MemoryHandle pin)
    {
        pin = default;
        try
        {
            using var setting = new SettingScope(this, ignored: SettingChanges); // the memory is given up also while an alternate setting is being changed
            if (setting.IsRefused)
                return false;
            pin = _buffer.TakePin();
            UseBuffer();
            return true;
        }
        catch (InvalidOperationException) // disposed or doomed in the meantime, which unpinned it
        {
            return false;
        }
    }

    /// <summary>Ends an awaited submission. libusb has given the transfer back, and it is still taken: no other thread can submit it yet.</summary>
    private void CompleteAwaited(TransferCompletion completion)
    {
        _awaited = null;
        if (!completion.Answer.IsEmpty)
            CopyAnswer(completion); // before any thread can release the transfer
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
