using System.Buffers;
using System.Threading.Tasks.Sources;

namespace Native.LibUsb;

/// <summary>
/// Represents one awaited read, write or control request, and the transfer that performs it. When the awaiting code takes the result, this object returns
/// itself to its pool, and a later request uses it again.
/// </summary>
internal sealed class PooledTransfer(UsbTransfer transfer, TransferPool pool) : IValueTaskSource<int>
{
    private int _isOutstanding; // 1 until the result is taken, so that a second await does not return the transfer to the pool again

    public UsbTransfer Transfer => transfer;

    /// <summary>Submits a bulk or interrupt transfer that uses the caller's memory. The memory stays pinned until the awaiting code takes the result.</summary>
    public ValueTask<int> Move(
        UsbTransferType type, byte endpoint, Memory<byte> memory, UsbTransferFlags flags, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        try
        {
            if (type == UsbTransferType.Bulk)
                transfer.SetBulkPinned(endpoint, memory, timeout: timeout);
            else
                transfer.SetInterruptPinned(endpoint, memory, timeout: timeout);
            if (transfer.Flags != flags)
                transfer.Flags = flags;
        }
        catch
        {
            Return();
            throw;
        }

        return Submit(cancellationToken);
    }

    /// <summary>Submits a control request that reads data from the device.</summary>
    public ValueTask<int> Read(in UsbControlSetup setup, Memory<byte> answer, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        try
        {
            transfer.SetControl(setup, answer.Length, timeout: timeout);
        }
        catch
        {
            Return();
            throw;
        }

        transfer.Completion.Answer = answer;
        return Submit(cancellationToken);
    }

    /// <summary>Submits a control request that writes data to the device.</summary>
    public ValueTask<int> Write(in UsbControlSetup setup, ReadOnlySpan<byte> data, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        try
        {
            transfer.SetControlCopy(setup, data, timeout: timeout);
        }
        catch
        {
            Return();
            throw;
        }

        return Submit(cancellationToken);
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => Source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        Source.OnCompleted(continuation, state, token, flags);

    int IValueTaskSource<int>.GetResult(short token)
    {
        TransferCompletion completion = transfer.Completion;
        if (token != completion.Token || ((IValueTaskSource<int>)completion).GetStatus(token) == ValueTaskSourceStatus.Pending
            || Interlocked.Exchange(ref _isOutstanding, 0) == 0)
        {
            throw new InvalidOperationException("The result of this call was already taken, or is not available yet: await a ValueTask once.");
        }

        try
        {
            return Source.GetResult(token);
        }
        finally
        {
            Return();
        }
    }

    private IValueTaskSource<int> Source => transfer.Completion;

    private ValueTask<int> Submit(CancellationToken cancellationToken)
    {
        UsbError error;
        _isOutstanding = 1;
        try
        {
            error = transfer.TrySubmitAwaited(cancellationToken);
        }
        catch
        {
            Return();
            throw;
        }

        if (error == UsbError.Success)
            return new ValueTask<int>(this, transfer.Completion.Token);
        Exception? failure = error == UsbError.Closed ? null : transfer.SubmitFailure(error);
        Return();
        return failure is null ? TransferCompletion.CanceledAsync(CancellationToken.None) : ValueTask.FromException<int>(failure);
    }

    private void Return()
    {
        transfer.Completion.Answer = default;
        _isOutstanding = 0;
        if (transfer.TryTakePin(out MemoryHandle pin))
            pool.Return(this);
        pin.Dispose(); // last, because it can run code of the program, and can throw
    }
}
