using System.Diagnostics;

namespace Usbcap.Capture;

/// <summary>
/// Finds the service intervals in which no transfer was queued, which no status tells: an endpoint that sends one packet an interval must
/// not fall behind the host's clock.
/// </summary>
/// <remarks>
/// A completion is seen late whenever the machine is busy, so single ones say nothing. But in each window of time one of them is seen
/// almost in time; when that best one is later than the best of the window before, the stream itself has fallen behind for good.
/// Differences within the tolerance are the clocks' drift.
/// </remarks>
internal sealed class MissedIntervals(TimeSpan serviceInterval)
{
    private static readonly long s_window = Stopwatch.Frequency; // one second
    private const double Tolerance = 0.001; // of a window: clocks of buses and hosts differ by 0.05 % at most

    private readonly double _ticksPerInterval = serviceInterval.TotalSeconds * Stopwatch.Frequency;
    private double _best = double.NaN;
    private double _bestOfWindow = double.PositiveInfinity;
    private long _windowStart;
    private double _behind;

    /// <summary>Intervals that were missed, as far as it is known.</summary>
    public long Count => (long)Math.Round(Math.Max(_behind, 0) / _ticksPerInterval);

    /// <summary>Takes a completion.</summary>
    /// <param name="now">When it was seen.</param>
    /// <param name="intervals">Packets of the endpoint up to now.</param>
    public void Add(long now, long intervals)
    {
        double lateness = now - (intervals * _ticksPerInterval);
        if (_windowStart == 0)
            _windowStart = now;
        _bestOfWindow = Math.Min(_bestOfWindow, lateness);
        if (now - _windowStart < s_window)
            return;
        CloseWindow();
        _windowStart = now;
    }

    /// <summary>The stream has ended: looks at the window that was not full yet, when it is long enough to tell something.</summary>
    /// <param name="now">When the last completion was seen.</param>
    public void Finish(long now)
    {
        if (_windowStart != 0 && now - _windowStart > s_window / 2)
            CloseWindow();
    }

    private void CloseWindow()
    {
        if (!double.IsNaN(_best))
        {
            double change = _bestOfWindow - _best;
            if (Math.Abs(change) > Tolerance * s_window)
                _behind = Math.Max(_behind + change, 0);
        }

        _best = _bestOfWindow;
        _bestOfWindow = double.PositiveInfinity;
    }
}
