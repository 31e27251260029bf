using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Provides a <see cref="Stream"/> that writes data to a ring. <see cref="UsbOutputRing.AsStream"/> creates the stream. Only one writer at a time is allowed.
/// </summary>
/// <remarks>
/// The stream collects bytes in the ring's buffers. It sends a buffer when the buffer is full, when the program flushes the stream, and when a message ends.
/// If the ring has no free buffer, a write waits until a buffer is free. A write allocates no memory. If the ring has failed, the methods throw
/// <see cref="UsbException"/>.
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

    /// <summary>Gets false, because data is sent in the order in which it is written.</summary>
    public override bool CanSeek => false;

    /// <summary>Gets true until the stream is disposed.</summary>
    public override bool CanWrite => !_disposed;

    /// <summary>Gets true.</summary>
    public override bool CanTimeout => true;

    /// <summary>
    /// Gets or sets the maximum number of milliseconds that <see cref="Write(ReadOnlySpan{byte})"/>, <see cref="Flush"/> and <see cref="EndMessage"/> wait. The
    /// default is <see cref="Timeout.Infinite"/>. The asynchronous methods ignore the property.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor <see cref="Timeout.Infinite"/>.</exception>
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

    /// <summary>Writes bytes, and blocks the thread while no buffer is free.</summary>
    /// <param name="buffer">The bytes to send.</param>
    /// <exception cref="UsbException">
    /// No buffer was free within <see cref="WriteTimeout"/>, or the ring has failed. <see cref="UsbException.BytesTransferred"/> is the number of bytes that
    /// the stream has taken.
    /// </exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or the method was called in a callback and would have to wait.</exception>
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

    /// <summary>Writes bytes, and waits while no buffer is free.</summary>
    /// <param name="buffer">The bytes to send.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The stream still sends the bytes that it took before the cancellation.</param>
    /// <returns>A task that completes when the stream has taken all bytes. The device may receive the bytes later.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running.</exception>
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
    /// Ends the message, even if the message has no bytes. The method blocks the thread while no buffer is free, but does not wait for the device.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The stream does not mark the ends of messages, or the ring is not running. The method also throws this exception if it was called in a callback and
    /// would have to wait.
    /// </exception>
    /// <exception cref="UsbException">No buffer was free within <see cref="WriteTimeout"/>, or the ring has failed.</exception>
    public void EndMessage()
    {
        CheckMessages();
        _filler.End(evenEmpty: true);
        while (!_filler.TryPayEnd())
            WaitForBuffer(0);
    }

    /// <summary>Ends the message, even if the message has no bytes. The method waits while no buffer is free, but does not wait for the device.</summary>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>A task that completes when the ring has taken the whole message. The device may receive the message later.</returns>
    /// <exception cref="InvalidOperationException">The stream does not mark the ends of messages, or the ring is not running.</exception>
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

    /// <summary>Ends an unfinished message, sends all bytes, and blocks the thread until the device has taken all bytes.</summary>
    /// <exception cref="UsbException">The device did not take all bytes within <see cref="WriteTimeout"/>, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or the method was called in a callback and would have to wait.</exception>
    public override void Flush()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _filler.End(evenEmpty: false);
        while (!_filler.TryPayEnd())
            WaitForBuffer(0);
        if (!_ring.Flush(Patience))
            throw new UsbException(UsbError.Timeout, "flush");
    }

    /// <summary>Ends an unfinished message, sends all bytes, and waits until the device has taken all bytes.</summary>
    /// <param name="cancellationToken">A token that cancels the wait. After a cancellation, the ring still sends the bytes.</param>
    /// <returns>A task that completes when the device has taken all bytes.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running.</exception>
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
    /// <param name="buffer">The value is not used.</param>
    /// <param name="offset">The value is not used.</param>
    /// <param name="count">The value is not used.</param>
    /// <returns>The method never returns.</returns>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="offset">The value is not used.</param>
    /// <param name="origin">The value is not used.</param>
    /// <returns>The method never returns.</returns>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Throws <see cref="NotSupportedException"/>.</summary>
    /// <param name="value">The value is not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Disposes the stream as <see cref="Stream.Dispose()"/> does, but without blocking a thread.</summary>
    /// <returns>A task that completes when the device has taken all bytes that were written.</returns>
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

    /// <summary>Flushes the bytes that were written. The ring keeps running.</summary>
    /// <param name="disposing">Whether the stream is being disposed.</param>
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
