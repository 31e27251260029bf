using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Reads a ring as a stream of bytes. Made by <see cref="UsbInputRing.AsStream"/>; for one reader at a time.</summary>
/// <remarks>
/// A read takes what is there, from as many transfers as fit, and waits only when there is nothing. It reads 0 bytes when the ring has stopped and
/// all is read, and with <see cref="UsbReadBoundary.ShortPacket"/> once at the end of each message. A ring that failed makes it throw
/// <see cref="UsbException"/> after all that had arrived. Reading allocates nothing.
/// </remarks>
public sealed class UsbInputStream : Stream
{
    private readonly UsbInputRing _ring;
    private readonly UsbReadBoundary _boundary;
    private readonly UsbReadLoss _loss;
    private TransferBytes _bytes;
    private ReadOnlyMemory<byte> _left; // of the bytes
    private bool _hasPiece;
    private UsbError _problem; // to be thrown before anything else is read
    private bool _atEnd; // of a message: to be reported before anything else is read
    private int _readTimeout = Timeout.Infinite;
    private bool _disposed;

    internal UsbInputStream(UsbInputRing ring, UsbReadBoundary boundary, UsbReadLoss loss)
    {
        _ring = ring;
        _boundary = boundary;
        _loss = loss;
    }

    /// <summary>Gets whether the ring has stopped and all is read: no end of a message, but of everything.</summary>
    public bool EndOfStream { get; private set; }

    /// <summary>Gets true until the stream is disposed.</summary>
    public override bool CanRead => !_disposed;

    /// <summary>Gets false: the data is read in the order of its arrival.</summary>
    public override bool CanSeek => false;

    /// <summary>Gets false.</summary>
    public override bool CanWrite => false;

    /// <summary>Gets true.</summary>
    public override bool CanTimeout => true;

    /// <summary>Gets how long <see cref="Read(Span{byte})"/> waits, in milliseconds; <see cref="Timeout.Infinite"/> at first. Not for the asynchronous
    /// forms.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, or negative and not <see cref="Timeout.Infinite"/>.</exception>
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

    /// <summary>Reads what is there, and waits on this thread when there is nothing.</summary>
    /// <param name="buffer">Where to put it. An empty one waits for data and takes none.</param>
    /// <returns>Bytes read; 0 at the end of a message or of everything.</returns>
    /// <exception cref="UsbException">Nothing came within <see cref="ReadTimeout"/>, data was lost here, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">It would have to wait in a callback for an event that only follows the callback.</exception>
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

    /// <summary>Reads what is there, and waits when there is nothing.</summary>
    /// <param name="buffer">Where to put it. An empty one waits for data and takes none.</param>
    /// <param name="cancellationToken">Ends the wait; nothing that arrives is lost by it.</param>
    /// <returns>Bytes read; 0 at the end of a message or of everything.</returns>
    /// <exception cref="UsbException">Data was lost here, or the ring has failed.</exception>
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

    /// <summary>Writes to another stream what arrives, without a copy between, until the message or everything has ended.</summary>
    /// <param name="destination">Where to write it.</param>
    /// <param name="bufferSize">Not used.</param>
    /// <param name="cancellationToken">Ends the copying; what was not written yet is still read.</param>
    /// <returns>Ends with the message or the ring.</returns>
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
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    /// <returns>Never.</returns>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="value">Not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="buffer">Not used.</param>
    /// <param name="offset">Not used.</param>
    /// <param name="count">Not used.</param>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Gives back what it holds of the ring. The rest of that transfer is lost; the ring goes on.</summary>
    /// <param name="disposing">Whether it is being disposed.</param>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _left = default;
        if (_hasPiece)
            _bytes.Buffer.Dispose();
        _hasPiece = false;
        _ring.Nudge(); // a thread that waits in it sees that the stream is disposed
        base.Dispose(disposing);
    }

    /// <summary>Takes what is there.</summary>
    /// <returns>False: nothing is there, and more may come.</returns>
    private bool TryRead(Span<byte> buffer, out int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        count = 0;
        bool onlyLooks = buffer.IsEmpty;
        while (true)
        {
            if (count > 0 && (_problem != UsbError.Success || _atEnd))
                return true; // the data before it comes first
            if (_problem != UsbError.Success)
                throw Take(ref _problem);
            if (_atEnd)
            {
                _atEnd = onlyLooks; // a thread that only looks leaves it to the reader
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
        bool ended = _ring.HasEnded; // first: what came before is taken below
        if (!_ring.TryTakeBytes(_boundary, _loss, out _bytes))
        {
            if (!ended || hasSome)
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
