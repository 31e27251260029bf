using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Provides a pipe writer that writes to a ring. <see cref="UsbOutputRing.AsPipeWriter"/> creates the writer. Only one writer at a time is allowed.
/// </summary>
/// <remarks>
/// If a transfer is free and has enough room, <see cref="GetMemory"/> returns the memory of this transfer. Otherwise <see cref="GetMemory"/> returns separate
/// memory, and <see cref="FlushAsync"/> copies the bytes from the separate memory into transfers. <see cref="FlushAsync"/> waits while the ring has no free
/// buffer. The writer uses the separate memory again after each flush. If the program writes more bytes before a flush than the separate memory can hold, the
/// writer rents a larger array, which may allocate memory.
/// </remarks>
public sealed class UsbPipeWriter : PipeWriter
{
    private const int LeastAside = 4096;

    private readonly UsbOutputRing _ring;
    private readonly OutputFiller _filler;
    private byte[] _aside = []; // data for which the ring had no memory
    private int _asideStart;
    private int _asideEnd;
    private bool _usesAside; // true if GetMemory has last returned memory of _aside
    private int _cancel;
    private bool _completed;

    internal UsbPipeWriter(UsbOutputRing ring, UsbWriteBoundary boundary)
    {
        _ring = ring;
        _filler = new OutputFiller(ring, boundary);
    }

    /// <summary>Gets true.</summary>
    public override bool CanGetUnflushedBytes => true;

    /// <summary>Gets the number of bytes that were written and not yet passed to the ring.</summary>
    public override long UnflushedBytes => _filler.Pending + (long)(_asideEnd - _asideStart);

    /// <summary>Returns memory to write to.</summary>
    /// <param name="sizeHint">The minimum length of the memory in bytes. If the value is 0, the memory has at least one byte.</param>
    /// <returns>The memory, which is valid until the next call of <see cref="Advance"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sizeHint"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">The writer was completed.</exception>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        CheckOpen();
        int least = Math.Max(sizeHint, 1);
        _usesAside = _asideEnd > 0 || !_filler.TryGetBuffer() || _filler.Room.Length < least;
        if (!_usesAside)
            return _filler.Room;
        if (_aside.Length - _asideEnd < least)
        {
            int length = _asideEnd - _asideStart;
            byte[] more = ArrayPool<byte>.Shared.Rent(checked(length + Math.Max(Math.Max(least, length), LeastAside)));
            _aside.AsSpan(_asideStart, length).CopyTo(more);
            ReturnAside();
            _aside = more;
            _asideStart = 0;
            _asideEnd = length;
        }

        return _aside.AsMemory(_asideEnd);
    }

    /// <inheritdoc cref="GetMemory"/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Records how many bytes the program has written to the memory that the last call of <see cref="GetMemory"/> returned.</summary>
    /// <param name="bytes">The number of bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative, or exceeds the length of the memory.</exception>
    public override void Advance(int bytes)
    {
        int room = _usesAside ? _aside.Length - _asideEnd : _filler.Room.Length;
        if (bytes < 0 || bytes > room)
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"The memory had {room} bytes.");
        if (_usesAside)
            _asideEnd += bytes;
        else
            _filler.Advance(bytes);
    }

    /// <summary>Passes all bytes to the ring, and ends an unfinished message. The method waits for free buffers, but not for the device.</summary>
    /// <param name="cancellationToken">A token that cancels the wait. The next flush passes the remaining bytes to the ring.</param>
    /// <returns>
    /// A task that completes when the ring has all bytes. The property <see cref="FlushResult.IsCanceled"/> of the task's result is true if
    /// <see cref="CancelPendingFlush"/> was called.
    /// </returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or the writer was completed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        CheckOpen();
        cancellationToken.ThrowIfCancellationRequested();
        while (!TryHandOver())
        {
            if (Interlocked.Exchange(ref _cancel, 0) != 0)
                return new FlushResult(isCanceled: true, isCompleted: false);
            await _ring.WaitForChangeAsync(cancellationToken).ConfigureAwait(false);
        }

        return new FlushResult(Interlocked.Exchange(ref _cancel, 0) != 0, isCompleted: false);
    }

    /// <summary>Cancels the pending flush, or the next flush if no flush is pending.</summary>
    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _cancel, 1);
        _ring.Nudge();
    }

    /// <summary>Passes all bytes to the ring, and ends an unfinished message. The method blocks the thread while no buffer is free.</summary>
    /// <param name="exception">
    /// The exception that prevented the program from writing all its data; null if the program has written all data. If the exception is not null, the writer
    /// discards the bytes that were not flushed.
    /// </param>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running, or the method was called in a callback and would have to wait.</exception>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        try
        {
            while (exception is null && !TryHandOver())
            {
                _ring.TryAcquire(out UsbOutputBuffer buffer, timeout: null);
                _filler.Offer(buffer);
            }
        }
        finally
        {
            Close();
        }
    }

    /// <summary>Passes all bytes to the ring, ends an unfinished message, and waits until the device has taken all bytes.</summary>
    /// <param name="exception">
    /// The exception that prevented the program from writing all its data; null if the program has written all data. If the exception is not null, the writer
    /// discards the bytes that were not flushed.
    /// </param>
    /// <returns>A task that completes when the device has taken all bytes.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring is not running.</exception>
    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (_completed)
            return;
        try
        {
            while (exception is null && !TryHandOver())
                await _ring.WaitForChangeAsync(CancellationToken.None).ConfigureAwait(false);
            if (exception is null)
                await _ring.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            Close();
        }
    }

    private bool TryHandOver()
    {
        _asideStart += _filler.Write(_aside.AsSpan(_asideStart, _asideEnd - _asideStart));
        if (_asideStart < _asideEnd)
            return false;
        _asideStart = _asideEnd = 0;
        _filler.End(evenEmpty: false);
        return _filler.TryPayEnd();
    }

    private void Close()
    {
        _completed = true;
        _filler.Drop();
        ReturnAside();
        _aside = [];
        _asideStart = _asideEnd = 0;
    }

    private void ReturnAside()
    {
        if (_aside.Length > 0)
            ArrayPool<byte>.Shared.Return(_aside);
    }

    private void CheckOpen()
    {
        if (_completed)
            throw new InvalidOperationException("The writer cannot be used after Complete.");
    }
}
