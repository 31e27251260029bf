using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Provides a <see cref="Stream"/> that reads the data of a ring. <see cref="UsbInputRing.AsStream"/> creates the stream. Only one reader at a time is allowed.
/// </summary>
/// <remarks>
/// A read returns the bytes that have arrived, up to the length of the caller's memory. These bytes may come from several transfers. A read waits only if no
/// bytes have arrived. A read returns 0 bytes when the ring has stopped and all data was read. With <see cref="UsbReadBoundary.ShortPacket"/>, reads also
/// report the end of each message: after the data of a message, exactly one read returns 0 bytes. If the ring has failed, reads first return all data that
/// arrived before the failure. The next read throws <see cref="UsbException"/>. Reading allocates nothing.
/// </remarks>
public sealed class UsbInputStream : Stream
{
    private readonly UsbInputRing _ring;
    private readonly UsbReadBoundary _boundary;
    private readonly UsbReadLoss _loss;
    private TransferBytes _bytes;
    private ReadOnlyMemory<byte> _left; // the part of _bytes that was not read yet
    private bool _hasPiece;
    private UsbError _problem; // an error to throw before more data is read
    private bool _atEnd; // the end of a message must be reported before more data is read
    private int _readTimeout = Timeout.Infinite;
    private bool _disposed;

    internal UsbInputStream(UsbInputRing ring, UsbReadBoundary boundary, UsbReadLoss loss)
    {
        _ring = ring;
        _boundary = boundary;
        _loss = loss;
    }

    /// <summary>Gets whether the ring has stopped and all data was read. The property does not become true at the end of a message.</summary>
    public bool EndOfStream { get; private set; }

    /// <summary>Gets true until the stream is disposed.</summary>
    public override bool CanRead => !_disposed;

    /// <summary>Gets false, because data can only be read in the order of its arrival.</summary>
    public override bool CanSeek => false;

    /// <summary>Gets false.</summary>
    public override bool CanWrite => false;

    /// <summary>Gets true.</summary>
    public override bool CanTimeout => true;

    /// <summary>
    /// Gets or sets how long <see cref="Read(Span{byte})"/> waits, in milliseconds. The default is <see cref="Timeout.Infinite"/>. The asynchronous methods
    /// ignore the property.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor <see cref="Timeout.Infinite"/>.</exception>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set
        {
            if (value is <= 0 and not Timeout.Infinite)
                throw new ArgumentOutOfRangeException(nameof(value), value, "More than 0 milliseconds, or Timeout.Infinite.");
            _readTimeout = value;
        }
    }

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <summary>Reads the bytes that have arrived. If no bytes have arrived, the method blocks the thread until bytes arrive.</summary>
    /// <param name="buffer">The memory to read into. If the memory has length 0, the method waits for data but reads nothing.</param>
    /// <returns>The number of bytes that were read; 0 at the end of a message or of the stream.</returns>
    /// <exception cref="UsbException">
    /// The time limit <see cref="ReadTimeout"/> has passed, data was lost at this position of the stream, or the ring has failed.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The method was called in a callback, and would have to wait for data that cannot arrive before the callback returns.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public override int Read(Span<byte> buffer)
    {
        var deadline = WaitDeadline.After(TimeSpan.FromMilliseconds(_readTimeout));
        int count;
        while (!TryRead(buffer, out count))
        {
            TimeSpan left = deadline.Remaining;
            if (left == TimeSpan.Zero || !_ring.WaitForChange(left))
                throw new UsbException(UsbError.Timeout, "read");
        }

        return count;
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Reads the bytes that have arrived. If no bytes have arrived, the method waits until bytes arrive.</summary>
    /// <param name="buffer">The memory to read into. If the memory has length 0, the method waits for data but reads nothing.</param>
    /// <param name="cancellationToken">A token that cancels the wait. A cancelled wait loses no data.</param>
    /// <returns>The number of bytes that were read; 0 at the end of a message or of the stream.</returns>
    /// <exception cref="UsbException">Data was lost at this position of the stream, or the ring has failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int count;
        while (!TryRead(buffer.Span, out count))
            await _ring.WaitForChangeAsync(cancellationToken).ConfigureAwait(false);
        return count;
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    /// <summary>Writes this stream's data to another stream without an intermediate copy. The method stops at the end of a message or of this stream.</summary>
    /// <param name="destination">The stream to write to.</param>
    /// <param name="bufferSize">The value is not used.</param>
    /// <param name="cancellationToken">A token that cancels the copying. A later read returns the data that was not written.</param>
    /// <returns>A task that completes at the end of the message or of this stream.</returns>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        ValidateCopyToArguments(destination, bufferSize);
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            if (!TryRead([], out _))
            {
                await _ring.WaitForChangeAsync(cancellationToken).ConfigureAwait(false);
            }
            else if (_left.IsEmpty)
            {
                _atEnd = false;
                return;
            }
            else
            {
                await destination.WriteAsync(_left, cancellationToken).ConfigureAwait(false);
                _left = default;
                EndPiece();
            }
        }
    }

    /// <summary>Does nothing.</summary>
    public override void Flush()
    {
    }

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="offset">The value is not used.</param>
    /// <param name="origin">The value is not used.</param>
    /// <returns>The method never returns.</returns>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="value">The value is not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="buffer">The value is not used.</param>
    /// <param name="offset">The value is not used.</param>
    /// <param name="count">The value is not used.</param>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Returns the stream's current buffer to the ring. The unread bytes of that buffer are lost. The ring continues.</summary>
    /// <param name="disposing">Whether the stream is being disposed.</param>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _left = default;
        if (_hasPiece)
            _bytes.Buffer.Dispose();
        _hasPiece = false;
        _ring.Nudge(); // a thread that waits in a read checks whether the stream is disposed
        base.Dispose(disposing);
    }

    /// <summary>Reads the bytes that have arrived.</summary>
    /// <returns>False if the caller must wait, because no bytes have arrived yet.</returns>
    private bool TryRead(Span<byte> buffer, out int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        count = 0;
        bool onlyLooks = buffer.IsEmpty;
        while (true)
        {
            if (count > 0 && (_problem != UsbError.Success || _atEnd))
                return true; // the caller gets the data before the error or the end
            if (_problem != UsbError.Success)
                throw Take(ref _problem);
            if (_atEnd)
            {
                _atEnd = onlyLooks; // a read into empty memory leaves the end to the next read
                return true;
            }

            if (_left.IsEmpty && !NextPiece(hasSome: count > 0))
                return count > 0 || EndOfStream;
            if (_problem != UsbError.Success)
                continue;
            if (onlyLooks && !_left.IsEmpty)
                return true;
            int length = Math.Min(_left.Length, buffer.Length);
            _left.Span[..length].CopyTo(buffer);
            buffer = buffer[length..];
            _left = _left[length..];
            count += length;
            if (_left.IsEmpty)
                EndPiece();
            if (!onlyLooks && buffer.IsEmpty)
                return true;
        }
    }

    private bool NextPiece(bool hasSome)
    {
        bool ended = _ring.HasEnded; // read first, so that the code below takes all data that arrived before
        if (!_ring.TryTakeBytes(_boundary, _loss, out _bytes))
        {
            if (hasSome)
                return false;
            _ring.ThrowIfNotRead();
            if (!ended)
                return false;
            _ring.ThrowIfBroken();
            EndOfStream = ended;
            return false;
        }

        EndOfStream = false;
        _hasPiece = true;
        _left = _bytes.Data;
        _problem = _bytes.LossBefore;
        return true;
    }

    private void EndPiece()
    {
        if (!_hasPiece)
            return;
        _hasPiece = false;
        _atEnd = _bytes.EndsMessage;
        _problem = _bytes.LossAfter;
        _bytes.Buffer.Dispose();
    }

    private UsbException Take(ref UsbError problem)
    {
        UsbError error = problem;
        problem = UsbError.Success;
        return _ring.LossOf(error);
    }
}
