using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Finds the service intervals in which no transfer was queued, which no status reports: an endpoint that has its turn every interval must not fall behind the
/// host's clock. It also finds the cause.
/// </summary>
/// <remarks>
/// <para>A completion is handled late whenever the machine is busy, so that a single one means nothing. But in each window of time one of them is handled almost
/// in time. When that best one is later than those before, and stays so, the stream itself has fallen behind. Slow changes are the drift of the clocks; both
/// directions count, so that the next window corrects one in which everything was late.</para>
/// <para>The intervals were missed because the thread that handles events was late, if a completion of the same time was handled later than the queue lasts: the
/// transfers in flight had all ended by then. Otherwise the queue ran empty although the thread ran in time.</para>
/// </remarks>
internal sealed class MissedIntervals(TimeSpan serviceInterval, int packetsPerTransfer, int transfers)
{
    private const double Drift = 0.0005; // clocks of buses and hosts differ by no more
    private const int FewestCompletions = 16;

    // Not static, and no field of this program that is used while data streams is: the runtime allocates when it first runs a static
    // constructor.
    private readonly long _window = Stopwatch.Frequency / 4;

    private readonly double _ticksPerInterval = serviceInterval.TotalSeconds * Stopwatch.Frequency;

    // A delay within half a transfer can be a window in which every completion was late.
    private readonly double _least = Math.Max(serviceInterval.TotalSeconds * packetsPerTransfer / 2, 0.001) * Stopwatch.Frequency;

    // The time that the rest of the queue lasts when one transfer has ended.
    private readonly double _queue = serviceInterval.TotalSeconds * packetsPerTransfer * (transfers - 1) * Stopwatch.Frequency;

    private double _expected = double.NaN;
    private double _behind;
    private double _best = double.PositiveInfinity;
    private double _worst = double.NegativeInfinity;
    private double _worstBefore = double.NegativeInfinity; // of the window before: a gap may begin in it
    private double _behindWhileLate;
    private double _longestDelay;
    private int _completions;
    private long _windowStart;
    private long _windowEnd;

    /// <summary>Gets the number of intervals that were missed, as far as it is known.</summary>
    public long Count => (long)Math.Round(_behind / _ticksPerInterval);

    /// <summary>Gets how many of them were missed because the thread that handles events was late.</summary>
    public long CountWhileLate => Math.Min(Count, (long)Math.Round(_behindWhileLate / _ticksPerInterval));

    /// <summary>Gets the longest time between a completion and its handling.</summary>
    public long LongestDelayTicks => (long)_longestDelay;

    /// <summary>Takes a completion.</summary>
    /// <param name="now">The time at which it was handled.</param>
    /// <param name="intervals">The packets of the endpoint up to now.</param>
    /// <returns>Whether the numbers may have changed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(long now, long intervals)
    {
        double start = now - (intervals * _ticksPerInterval); // where the stream began, by this completion
        if (start < _best)
            _best = start;
        if (start > _worst)
            _worst = start;
        _completions++;
        return now >= _windowEnd && TryEndWindow(now);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryEndWindow(long now)
    {
        if (_windowStart == 0) // the first completion
        {
            BeginWindow(now);
            return false;
        }

        if (_completions < FewestCompletions)
            return false;
        CloseWindow(now);
        return true;
    }

    private void BeginWindow(long now)
    {
        _windowStart = now;
        _windowEnd = now + _window;
    }

    /// <summary>
    /// Ends the stream: evaluates the window that was not full yet, if it has enough completions. When the stream goes on later, the time between is not missed.
    /// </summary>
    /// <param name="now">The time at which the last completion was handled.</param>
    public void Finish(long now)
    {
        if (_completions >= FewestCompletions)
            CloseWindow(now);
        _best = double.PositiveInfinity;
        _worst = _worstBefore = double.NegativeInfinity;
        _completions = 0;
        _windowStart = _windowEnd = 0;
        _expected = double.NaN;
    }

    private void CloseWindow(long now)
    {
        if (double.IsNaN(_expected))
            _expected = _best - _behind;
        double delay = Math.Max(_worst, _worstBefore) - _expected - _behind;
        _longestDelay = Math.Max(_longestDelay, delay);
        double change = _best - _expected - _behind;
        if (Math.Abs(change) <= Drift * (now - _windowStart))
        {
            _expected += change;
        }
        else if (change > _least)
        {
            _behind += change;
            if (delay >= _queue)
                _behindWhileLate += change;
        }
        else if (change < 0)
        {
            // It was not that late after all.
            double back = Math.Min(_behind, -change);
            _behind -= back;
            _behindWhileLate = Math.Min(_behindWhileLate, _behind);
            _expected -= -change - back;
        }

        _best = double.PositiveInfinity;
        _worstBefore = _worst;
        _worst = double.NegativeInfinity;
        _completions = 0;
        BeginWindow(now);
    }
}
