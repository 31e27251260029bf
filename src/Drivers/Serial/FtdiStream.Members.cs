using System.Runtime.ExceptionServices;
using Native.LibUsb;

namespace Drivers.Serial;

// The members of a stream.
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

    /// <summary>Gets or sets how long the synchronous forms of reading wait, in milliseconds.</summary>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set => _readTimeout = CheckTimeout(value);
    }

    /// <summary>Gets or sets how long the synchronous forms of writing wait, in milliseconds.</summary>
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

    /// <summary>Reads what has arrived on the line, and waits when nothing has.</summary>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="cancellationToken">Ends the wait; nothing that arrives is lost.</param>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="UsbException">The adapter is unplugged, or it failed, and all that had arrived before is read.</exception>
    /// <exception cref="InvalidDataException">The chip sent a packet without its status.</exception>
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

    /// <summary>Sends bytes. The task completes when the chip has taken them, which may be before they are on the line.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="cancellationToken">Cancels the transfer.</param>
    /// <exception cref="UsbException">The adapter is unplugged, or the transfer failed.</exception>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled; the exception counts the bytes that the chip had taken.</exception>
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

    /// <summary>Does nothing: what is written is sent at once.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Closes the port, and waits until nothing is on its way.</summary>
    /// <returns>Completes when the device is closed.</returns>
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
