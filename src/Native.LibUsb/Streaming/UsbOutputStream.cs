using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Writes to a ring as to a stream of bytes. Made by <see cref="UsbOutputRing.AsStream"/>; for one writer at a time.</summary>
/// <remarks>
/// Bytes are collected into transfers of the ring's size and sent when such a transfer is full, when it is flushed, and when a message ends. Writing
/// waits when the ring has no free buffer, and allocates nothing. A ring that failed makes it throw <see cref="UsbException"/>.
/// </remarks>
public sealed class UsbOutputStream : Stream
{
    private readonly UsbOutputRing _ring;
    private readonly OutputFiller _filler;
    private int _writeTimeout = Timeout.Infinite;
    private bool _disposed;

    internal UsbOutputStream(UsbOutputRing ring, UsbWriteBoundary boundary)
    {
        _ring = ring;
        Boundary = boundary;
        _filler = new OutputFiller(ring, boundary);
    }

    /// <summary>Gets whether the ends of messages are marked.</summary>
    public UsbWriteBoundary Boundary { get; }

    /// <summary>Gets false.</summary>
    public override bool CanRead => false;

    /// <summary>Gets false: the data is sent in the order in which it is written.</summary>
    public override bool CanSeek => false;

    /// <summary>Gets true until the stream is disposed.</summary>
    public override bool CanWrite => !_disposed;

    /// <summary>Gets true.</summary>
    public override bool CanTimeout => true;

    /// <summary>
    /// Gets how long <see cref="Write(ReadOnlySpan{byte})"/>, <see cref="Flush"/> and <see cref="EndMessage"/> wait for the device, in milliseconds;
    /// <see cref="Timeout.Infinite"/> at first. Not for the asynchronous forms.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, or negative and not <see cref="Timeout.Infinite"/>.</exception>
    public override int WriteTimeout
    {
        get => _writeTimeout;
        set
        {
            if (value is <= 0 and not Timeout.Infinite)
                throw new ArgumentOutOfRangeException(nameof(value), value, "More than 0 milliseconds, or Timeout.Infinite.");
            _writeTimeout = value;
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

    private TimeSpan Patience => TimeSpan.FromMilliseconds(_writeTimeout);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <summary>Writes, and waits on this thread for free buffers.</summary>
    /// <param name="buffer">What to send.</param>
    /// <exception cref="UsbException">
    /// No buffer was free within <see cref="WriteTimeout"/>, or the ring has failed. <see cref="UsbException.BytesTransferred"/> says how many of the
    /// bytes were taken over.
    /// </exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or it would have to wait in a callback.</exception>
    /// <exception cref="ObjectDisposedException">The stream or the ring is disposed.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int written = 0;
        while ((written += _filler.Write(buffer[written..])) < buffer.Length)
            WaitForBuffer(written);
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Writes, and waits for free buffers.</summary>
    /// <param name="buffer">What to send.</param>
    /// <param name="cancellationToken">Ends the wait. The bytes that were taken over until then are sent.</param>
    /// <returns>Ends when all of it is taken over, which is before the device has it.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The stream or the ring is disposed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        int written = 0;
        while ((written += _filler.Write(buffer.Span[written..])) < buffer.Length)
            _filler.Offer(await _ring.AcquireAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <summary>
    /// Ends the message, also one without bytes, and does not wait for the device; only for a free buffer, on this thread.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The stream does not mark the ends of messages, the ring does not run, or it would have to wait in a callback.
    /// </exception>
    /// <exception cref="UsbException">No buffer was free within <see cref="WriteTimeout"/>, or the ring has failed.</exception>
    public void EndMessage()
    {
        CheckMessages();
        _filler.End(evenEmpty: true);
        while (!_filler.TryPayEnd())
            WaitForBuffer(0);
    }

    /// <summary>Ends the message, also one without bytes, and does not wait for the device; only for a free buffer.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Ends when all of it is taken over, which is before the device has it.</returns>
    /// <exception cref="InvalidOperationException">The stream does not mark the ends of messages, or the ring does not run.</exception>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask EndMessageAsync(CancellationToken cancellationToken = default)
    {
        CheckMessages();
        _filler.End(evenEmpty: true);
        while (!_filler.TryPayEnd())
            _filler.Offer(await _ring.AcquireAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Ends the message that was begun, sends everything, and waits on this thread until the device has it.</summary>
    /// <exception cref="UsbException">The device did not take it within <see cref="WriteTimeout"/>, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or it would have to wait in a callback.</exception>
    public override void Flush()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _filler.End(evenEmpty: false);
        while (!_filler.TryPayEnd())
            WaitForBuffer(0);
        if (!_ring.Flush(Patience))
            throw new UsbException(UsbError.Timeout, "flush");
    }

    /// <summary>Ends the message that was begun, sends everything, and waits until the device has it.</summary>
    /// <param name="cancellationToken">Ends the wait, and takes nothing back.</param>
    /// <returns>Ends when the device has taken all of it.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _filler.End(evenEmpty: false);
        while (!_filler.TryPayEnd())
            _filler.Offer(await _ring.AcquireAsync(cancellationToken).ConfigureAwait(false));
        await _ring.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="buffer">Not used.</param>
    /// <param name="offset">Not used.</param>
    /// <param name="count">Not used.</param>
    /// <returns>Never.</returns>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    /// <returns>Never.</returns>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="value">Not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Disposes the stream as <see cref="Stream.Dispose()"/> does, and waits without blocking a thread.</summary>
    /// <returns>Ends when the device has taken what was written.</returns>
    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (_filler.HasSomething)
                await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            LetGo();
            await base.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Flushes what was written, and leaves the ring as it is.</summary>
    /// <param name="disposing">Whether it is being disposed.</param>
    protected override void Dispose(bool disposing)
    {
        if (_disposed || !disposing)
            return;
        try
        {
            if (_filler.HasSomething)
                Flush();
        }
        finally
        {
            LetGo();
        }

        base.Dispose(disposing);
    }

    private void LetGo()
    {
        _disposed = true;
        _filler.Drop();
    }

    private void CheckMessages()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Boundary != UsbWriteBoundary.ShortPacket)
            throw new InvalidOperationException("The stream does not mark the ends of messages: make it with UsbWriteBoundary.ShortPacket.");
    }

    private void WaitForBuffer(int written)
    {
        if (!_ring.TryAcquire(out UsbOutputBuffer buffer, Patience))
            throw new UsbException(UsbError.Timeout, "write", written);
        _filler.Offer(buffer);
    }
}
