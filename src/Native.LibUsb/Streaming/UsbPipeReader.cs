using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Provides a <see cref="PipeReader"/> that reads the data of a ring. <see cref="UsbInputRing.AsPipeReader"/> creates the reader. Only one reader at a time is
/// allowed.
/// </summary>
/// <remarks>
/// Usually, the program reads the data directly in the memory in which the data arrived. Data that the program has not consumed occupies buffers of the ring.
/// When the number of these buffers reaches <see cref="UsbRingOptions.Spares"/>, the reader copies the data into pooled memory and returns the buffers to the
/// ring, so that the ring does not run out of buffers. Reading allocates nothing.
/// </remarks>
public sealed class UsbPipeReader : PipeReader
{
    private readonly UsbInputRing _ring;
    private readonly UsbReadBoundary _boundary;
    private readonly UsbReadLoss _loss;
    private readonly Stack<InputSegment> _unused = new();

    // The segments that are not consumed yet, and the position in the first segment.
    private InputSegment? _first;
    private InputSegment? _last;
    private int _start;
    private int _loans;

    private bool _seen; // the program has examined all data
    private bool _endsMessage; // a message ends after the data
    private UsbError _problem; // an error to throw after the data
    private TransferBytes _behindProblem; // the data after the error
    private bool _hasBehind;
    private int _cancel;
    private bool _completed;

    internal UsbPipeReader(UsbInputRing ring, UsbReadBoundary boundary, UsbReadLoss loss)
    {
        _ring = ring;
        _boundary = boundary;
        _loss = loss;
    }

    /// <summary>
    /// Gets whether the data of the last read ends at the end of a message. The reader returns data of the next message only after the program has consumed the
    /// data of this message. The property is false with <see cref="UsbReadBoundary.None"/>.
    /// </summary>
    public bool EndsMessage { get; private set; }

    /// <summary>Reads the bytes that have arrived.</summary>
    /// <param name="result">The bytes that are not consumed yet.</param>
    /// <returns>
    /// True if there are bytes that the program has not examined. The method also returns true at the end of a message, at the end of the stream, and after a
    /// cancellation.
    /// </returns>
    /// <exception cref="UsbException">Data was lost at this position of the stream, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The reader was completed, or the ring now passes its data to a handler.</exception>
    public override bool TryRead(out ReadResult result)
    {
        if (_completed)
            throw new InvalidOperationException("The reader cannot be used after Complete.");
        bool cancelled = Interlocked.Exchange(ref _cancel, 0) != 0;
        bool ended = !cancelled && !Collect();
        bool any = cancelled || ended || _endsMessage || (_first is not null && !_seen);
        EndsMessage = any && _endsMessage;
        result = any ? new ReadResult(Buffer(), cancelled, ended) : default;
        return any;
    }

    /// <summary>Waits for bytes that the program has not examined, for the end of a message, or for the end of the stream.</summary>
    /// <param name="cancellationToken">A token that cancels the wait. A cancelled wait loses no data.</param>
    /// <returns>The bytes that are not consumed yet.</returns>
    /// <exception cref="UsbException">Data was lost at this position of the stream, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">The reader was completed, or the ring now passes its data to a handler.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ReadResult result;
        while (!TryRead(out result))
            await _ring.WaitForChangeAsync(cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <summary>Releases the consumed bytes. The next read returns the remaining bytes.</summary>
    /// <param name="consumed">The end of the consumed bytes.</param>
    /// <param name="examined">The end of the examined bytes. If all bytes are examined, the next read waits for more bytes.</param>
    /// <exception cref="InvalidOperationException"><paramref name="consumed"/> does not belong to the last read.</exception>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_first is null)
        {
            _endsMessage = false; // the message was empty
            return;
        }

        InputSegment? end = _first;
        while (end is not null && end != consumed.GetObject())
            end = end.NextSegment;
        if (end is null)
            throw new InvalidOperationException("The position is not one of the last read.");
        _seen = examined.GetObject() == _last && examined.GetInteger() == _last!.Length;

        while (_first != end)
            ReleaseFirst();
        _start = consumed.GetInteger();
        while (_first is not null && _start == _first.Length) // also releases empty segments after the consumed bytes
            ReleaseFirst();
        if (_first is null)
            _endsMessage = false;
    }

    /// <summary>Cancels the pending read, or the next read if no read is pending. The cancelled read ends without new data.</summary>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancel, 1);
        _ring.Nudge();
    }

    /// <summary>Returns all buffers to the ring. Data that was not consumed is lost. The ring continues.</summary>
    /// <param name="exception">The value is not used.</param>
    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        while (_first is not null)
            ReleaseFirst();
        if (_hasBehind)
            _behindProblem.Buffer.Dispose();
        _hasBehind = false;
    }

    /// <summary>Takes the data for the next read from the ring.</summary>
    /// <returns>False if the stream has ended and all data was read.</returns>
    private bool Collect()
    {
        if (_endsMessage || (_first is not null && !_seen))
            return true; // enough for one read
        if (_problem != UsbError.Success)
            throw _ring.LossOf(TakeProblem());
        int most = Math.Max(_ring.Configuration.Spares, 1);
        if (_loans >= most)
            CopyLoans();

        bool ended = _ring.HasEnded; // read first, so that the code below takes all data that arrived before
        while (!_endsMessage && _problem == UsbError.Success && _loans < most && TakeBytes(out TransferBytes bytes))
            Append(bytes);
        if (_first is not null && !_seen)
            return true;
        if (_endsMessage)
            return true;
        if (_problem != UsbError.Success)
            throw _ring.LossOf(TakeProblem());
        _ring.ThrowIfNotRead();
        if (ended)
        {
            _ring.ThrowIfBroken();
            return false;
        }

        if (_loans > _ring.Configuration.Spares)
            CopyLoans(); // the ring receives more data only after it has its memory back
        return true;
    }

    private bool TakeBytes(out TransferBytes bytes)
    {
        if (_hasBehind)
        {
            bytes = _behindProblem with { LossBefore = UsbError.Success };
            _hasBehind = false;
            return true;
        }

        return _ring.TryTakeBytes(_boundary, _loss, out bytes);
    }

    private void Append(in TransferBytes bytes)
    {
        if (bytes.LossBefore != UsbError.Success)
        {
            _problem = bytes.LossBefore;
            _behindProblem = bytes;
            _hasBehind = true;
            return;
        }

        _endsMessage = bytes.EndsMessage;
        _problem = bytes.LossAfter;
        if (bytes.Data.IsEmpty)
        {
            bytes.Buffer.Dispose();
            return;
        }

        InputSegment segment = _unused.TryPop(out InputSegment? unused) ? unused : new InputSegment();
        segment.Take(bytes);
        if (_last is null)
            _first = segment;
        else
            _last.Append(segment);
        _last = segment;
        _loans++;
        _seen = false;
    }

    private void CopyLoans()
    {
        for (InputSegment? segment = _first; segment is not null; segment = segment.NextSegment)
            segment.Copy();
        _loans = 0;
    }

    private void ReleaseFirst()
    {
        InputSegment segment = _first!;
        if (segment.IsLoan)
            _loans--;
        _first = segment.NextSegment;
        _start = 0;
        if (_first is null)
        {
            _last = null;
            _seen = false;
        }

        segment.Release();
        _unused.Push(segment);
    }

    private ReadOnlySequence<byte> Buffer() =>
        _first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_first, _start, _last!, _last!.Length);

    private UsbError TakeProblem()
    {
        UsbError problem = _problem;
        _problem = UsbError.Success;
        return problem;
    }
}
