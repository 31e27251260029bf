using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Reads a ring as a pipe. Made by <see cref="UsbInputRing.AsPipeReader"/>; for one reader at a time.</summary>
/// <remarks>
/// The reader returns the memory that the device's data arrived in; nothing is copied. Only when the reader leaves more unconsumed than the ring has
/// <see cref="UsbRingOptions.Spares"/> is it copied aside, so that the queue does not run dry. Reading allocates nothing.
/// </remarks>
public sealed class UsbPipeReader : PipeReader
{
    private readonly UsbInputRing _ring;
    private readonly UsbReadBoundary _boundary;
    private readonly UsbReadLoss _loss;
    private readonly Stack<InputSegment> _unused = new();

    // The segments that were taken and not consumed, and the place in the first one.
    private InputSegment? _first;
    private InputSegment? _last;
    private int _start;
    private int _loans;

    private bool _seen; // all of it was examined
    private bool _endsMessage; // a message ends behind it
    private UsbError _problem; // data is missing behind it
    private TransferBytes _behindProblem; // the data after that
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
    /// Gets whether a message ends where the buffer of the last read ends. Reading does not go on until all of it is consumed. With
    /// <see cref="UsbReadBoundary.None"/> it is false.
    /// </summary>
    public bool EndsMessage { get; private set; }

    /// <summary>Takes what is there.</summary>
    /// <param name="result">The bytes that were not consumed yet.</param>
    /// <returns>False: nothing is there that was not examined.</returns>
    /// <exception cref="UsbException">Data was lost here, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">It was completed.</exception>
    public override bool TryRead(out ReadResult result)
    {
        if (_completed)
            throw new InvalidOperationException("Nothing is read after Complete.");
        bool cancelled = Interlocked.Exchange(ref _cancel, 0) != 0;
        bool ended = !cancelled && !Collect();
        bool any = cancelled || ended || _endsMessage || (_first is not null && !_seen);
        EndsMessage = any && _endsMessage;
        result = any ? new ReadResult(Buffer(), cancelled, ended) : default;
        return any;
    }

    /// <summary>Waits until there is something that was not examined, a message has ended, or everything has.</summary>
    /// <param name="cancellationToken">Ends the wait; nothing that arrives is lost by it.</param>
    /// <returns>The bytes that were not consumed yet.</returns>
    /// <exception cref="UsbException">Data was lost here, or the ring has failed.</exception>
    /// <exception cref="InvalidOperationException">It was completed.</exception>
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

    /// <summary>Gives back what was consumed; the rest comes with the next read.</summary>
    /// <param name="consumed">Up to here, nothing is needed any more.</param>
    /// <param name="examined">Up to here, it was looked at: when that is all, the next read waits for more.</param>
    /// <exception cref="InvalidOperationException">The position is not one of the last read.</exception>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_first is null)
        {
            _endsMessage = false; // it was empty
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
        while (_first is not null && _start == _first.Length) // also those behind it that have nothing
            ReleaseFirst();
        if (_first is null)
            _endsMessage = false;
    }

    /// <summary>Makes a read that waits, or else the next one, end without anything new.</summary>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancel, 1);
        _ring.Nudge();
    }

    /// <summary>Gives back everything. Data that was not consumed is lost; the ring goes on.</summary>
    /// <param name="exception">Not used.</param>
    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        while (_first is not null)
            ReleaseFirst();
        if (_hasBehind)
            _behindProblem.Buffer.Dispose();
        _hasBehind = false;
    }

    /// <summary>Takes what the ring has, as far as it may be read at once.</summary>
    /// <returns>False: everything has ended, and nothing more will be there.</returns>
    private bool Collect()
    {
        if (_endsMessage || (_first is not null && !_seen))
            return true; // enough for one read
        if (_problem != UsbError.Success)
            throw _ring.LossOf(TakeProblem());
        int most = Math.Max(_ring.Configuration.Spares, 1);
        if (_loans >= most)
            CopyLoans();

        bool ended = _ring.HasEnded; // first: what came before is taken below
        while (!_endsMessage && _problem == UsbError.Success && _loans < most && TakeBytes(out TransferBytes bytes))
            Append(bytes);
        if (_first is not null && !_seen)
            return true;
        if (_endsMessage)
            return true;
        if (_problem != UsbError.Success)
            throw _ring.LossOf(TakeProblem());
        if (ended)
        {
            _ring.ThrowIfBroken();
            return false;
        }

        if (_loans > _ring.Configuration.Spares)
            CopyLoans(); // more can only come when it has its memory back
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
