using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Writes to a ring as to a pipe. Made by <see cref="UsbOutputRing.AsPipeWriter"/>; for one writer at a time.</summary>
/// <remarks>
/// The writer hands out the memory of a transfer if one is free and large enough. Otherwise it collects the bytes in separate memory, from which
/// <see cref="FlushAsync"/> copies them; <see cref="FlushAsync"/> waits while the ring has no free buffer. A program that awaits it often causes no allocation.
/// </remarks>
public sealed class UsbPipeWriter : PipeWriter
{
    private const int LeastAside = 4096;

    private readonly UsbOutputRing _ring;
    private readonly OutputFiller _filler;
    private byte[] _aside = []; // data that the ring had no memory for
    private int _asideStart;
    private int _asideEnd;
    private bool _usesAside; // the memory that was given out last
    private int _cancel;
    private bool _completed;

    internal UsbPipeWriter(UsbOutputRing ring, UsbWriteBoundary boundary)
    {
        _ring = ring;
        _filler = new OutputFiller(ring, boundary);
    }

    /// <summary>Gets true.</summary>
    public override bool CanGetUnflushedBytes => true;

    /// <summary>Gets the number of bytes that were written and not handed to the ring.</summary>
    public override long UnflushedBytes => _filler.Pending + (long)(_asideEnd - _asideStart);

    /// <summary>Gets memory to write to.</summary>
    /// <param name="sizeHint">Bytes that it must have; 0 for any number but none.</param>
    /// <returns>The memory, until <see cref="Advance"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sizeHint"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">It was completed.</exception>
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

    /// <summary>Counts bytes that were written to the memory that was given out last.</summary>
    /// <param name="bytes">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">It had not so many.</exception>
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

    /// <summary>Hands everything to the ring, and ends the message that was begun. It waits for free buffers, not for the device.</summary>
    /// <param name="cancellationToken">Ends the wait; what was not handed over yet is by the next flush.</param>
    /// <returns>Ends when the ring has everything; <see cref="FlushResult.IsCanceled"/> when the wait was ended.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or this was completed.</exception>
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

    /// <summary>Makes a flush that waits, or else the next one, end.</summary>
    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _cancel, 1);
        _ring.Nudge();
    }

    /// <summary>Hands everything to the ring, on this thread, and ends the message that was begun.</summary>
    /// <param name="exception">Why writing failed: then what was not flushed is dropped.</param>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run, or it would have to wait in a callback.</exception>
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

    /// <summary>Hands everything to the ring, ends the message that was begun, and waits until the device has it.</summary>
    /// <param name="exception">Why writing failed: then what was not flushed is dropped.</param>
    /// <returns>Ends when the device has taken all of it.</returns>
    /// <exception cref="UsbException">The ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The ring does not run.</exception>
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
            throw new InvalidOperationException("Nothing is written after Complete.");
    }
}
