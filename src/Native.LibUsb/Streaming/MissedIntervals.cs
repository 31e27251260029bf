using System.Diagnostics;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Finds the service intervals in which no transfer was queued, which no status tells: an endpoint that has its turn every interval must not
/// fall behind the host's clock.
/// </summary>
/// <remarks>
/// A completion is seen late whenever the machine is busy, so single ones say nothing. But in each window of time one of them is seen almost
/// in time. When that best one is later than those before, for good, the stream itself has fallen behind. Slow changes are the drift of the
/// clocks; both directions count, so a window in which everything was late is made good by the next.
/// </remarks>
internal sealed class MissedIntervals(TimeSpan serviceInterval, int packetsPerTransfer)
{
    private const double Drift = 0.0005; // clocks of buses and hosts differ by no more
    private const int FewestCompletions = 16;

    // Not static, and no field of this program that is used while data streams is: the runtime allocates when it first runs a static
    // constructor.
    private readonly long _window = Stopwatch.Frequency / 4;

    private readonly double _ticksPerInterval = serviceInterval.TotalSeconds * Stopwatch.Frequency;

    // What is within half a transfer can be a window of bad luck.
    private readonly double _least = Math.Max(serviceInterval.TotalSeconds * packetsPerTransfer / 2, 0.001) * Stopwatch.Frequency;

    private double _expected = double.NaN;
    private double _behind;
    private double _best = double.PositiveInfinity;
    private int _completions;
    private long _windowStart;

    /// <summary>Intervals that were missed, as far as it is known.</summary>
    public long Count => (long)Math.Round(_behind / _ticksPerInterval);

    /// <summary>Takes a completion.</summary>
    /// <param name="now">When it was seen.</param>
    /// <param name="intervals">Packets of the endpoint up to now.</param>
    public void Add(long now, long intervals)
    {
        if (_windowStart == 0)
            _windowStart = now;
        _best = Math.Min(_best, now - (intervals * _ticksPerInterval));
        _completions++;
        if (now - _windowStart >= _window && _completions >= FewestCompletions)
            CloseWindow(now);
    }

    /// <summary>
    /// The stream has ended: looks at the window that was not full yet, if it can tell something. When it goes on later, the time between is not missed.
    /// </summary>
    /// <param name="now">When the last completion was seen.</param>
    public void Finish(long now)
    {
        if (_completions >= FewestCompletions)
            CloseWindow(now);
        _best = double.PositiveInfinity;
        _completions = 0;
        _windowStart = 0;
        _expected = double.NaN;
    }

    private void CloseWindow(long now)
    {
        if (double.IsNaN(_expected))
            _expected = _best - _behind;
        double change = _best - _expected - _behind;
        if (Math.Abs(change) <= Drift * (now - _windowStart))
        {
            _expected += change;
        }
        else if (change > _least)
        {
            _behind += change;
        }
        else if (change < 0)
        {
            // It was not that late after all.
            double back = Math.Min(_behind, -change);
            _behind -= back;
            _expected -= -change - back;
        }

        _best = double.PositiveInfinity;
        _completions = 0;
        _windowStart = now;
    }
}
