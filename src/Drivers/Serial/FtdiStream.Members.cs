using System.Runtime.ExceptionServices;
using Native.LibUsb;

namespace Drivers.Serial;

// This part of the class overrides the members of Stream.
public sealed partial class FtdiStream
{
    private int _readTimeout = Timeout.Infinite;
    private int _writeTimeout = Timeout.Infinite;
    private int _disposed;

    /// <inheritdoc/>
    public override bool CanRead => _disposed == 0;

    /// <inheritdoc/>
    public override bool CanWrite => _disposed == 0;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanTimeout => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gets or sets the timeout of synchronous reads, in milliseconds.</summary>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set => _readTimeout = CheckTimeout(value);
    }

    /// <summary>Gets or sets the timeout of synchronous writes, in milliseconds.</summary>
    public override int WriteTimeout
    {
        get => _writeTimeout;
        set => _writeTimeout = CheckTimeout(value);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        using var limit = new CancellationTokenSource(_readTimeout);
        try
        {
            return ReadAsync(buffer.AsMemory(offset, count), limit.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException($"Nothing was received within {_readTimeout} ms.");
        }
    }

    /// <summary>Reads the bytes that have arrived on the line. If no bytes have arrived, the method waits.</summary>
    /// <param name="buffer">The buffer that receives the bytes.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The cancellation loses no data.</param>
    /// <returns>The number of bytes read.</returns>
    /// <exception cref="UsbException">
    /// The adapter has failed or has been unplugged, and the program has already read all data that arrived before the failure.
    /// </exception>
    /// <exception cref="IOException">A transfer from the chip ended with an error, and data is missing.</exception>
    /// <exception cref="InvalidDataException">The chip sent a packet without its status bytes.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        int count = await _received.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (count == 0 && !buffer.IsEmpty && _failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        if (count > 0)
            _output.Write(buffer.AsSpan(offset, count), TimeSpan.FromMilliseconds(_writeTimeout));
    }

    /// <summary>Sends bytes. The task completes when the chip has accepted the bytes. The chip may transmit them on the line later.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="cancellationToken">A token that cancels the transfer.</param>
    /// <exception cref="UsbException">The adapter has been unplugged, or the transfer has failed.</exception>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled. The exception contains the number of bytes that the chip had
    /// accepted.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (!buffer.IsEmpty)
            await _output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Does nothing, because bytes are sent immediately.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Closes the port. The method waits until no transfer is in flight.</summary>
    /// <returns>A task that completes when the device is closed.</returns>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _discards = true;
            await StopAsync().ConfigureAwait(false);
            await _ring.DisposeAsync().ConfigureAwait(false);
            await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
            await _handle.DisposeAsync().ConfigureAwait(false);
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _disposed == 0)
            DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }

    private static int CheckTimeout(int value) => value is > 0 or Timeout.Infinite
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "More than 0 milliseconds, or Timeout.Infinite.");
}
