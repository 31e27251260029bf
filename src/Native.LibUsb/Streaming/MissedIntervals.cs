using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Counts the service intervals that were missed because no transfer was queued, and determines why the queue was empty. libusb does not report these missed
/// intervals, so the class compares the stream with the host's clock. The bus polls the endpoint in every interval. If the stream falls behind the clock, it
/// has therefore missed intervals.
/// </summary>
/// <remarks>
/// <para>A busy machine handles some completions late, so one late completion does not prove that an interval was missed. In almost every window of time,
/// however, at least one completion is handled on time. If even the most punctual completion of a window is late, the class counts missed intervals. If a
/// completion of a later window is on time again, the class corrects the count. The class treats small, slow changes as drift between the clocks of the bus and
/// the host.</para>
/// <para>The completions after a gap show the cause of the gap. If the queue became empty although the thread that handles events was on time, all completions
/// after the gap have the same additional delay. If the thread was late, all transfers in flight had already ended when the thread handled the first completion
/// after the gap. The delay of this completion exceeds the delay of the following completions by about the total duration of the transfers. The class therefore
/// compares the most delayed completion of a window with the most punctual completion of the next window.</para>
/// </remarks>
internal sealed class MissedIntervals(TimeSpan serviceInterval, int packetsPerTransfer, int transfers)
{
    private const double Drift = 0.0005; // the largest relative difference between the clocks of the bus and the host
    private const int FewestCompletions = 16;
    private const double Ahead = 0.008; // xHCI reads its schedule up to seven frames ahead, so an empty queue continues at most this much later

    // This class must not allocate memory while the ring runs. A static field would need a static constructor, and the runtime allocates memory when it first
    // runs a static constructor. This value is therefore in an instance field.
    private readonly long _window = Stopwatch.Frequency / 4;

    private readonly double _ticksPerInterval = serviceInterval.TotalSeconds * Stopwatch.Frequency;

    // A smaller delay can result from a window in which every completion was late.
    private readonly double _least = Math.Max(serviceInterval.TotalSeconds * packetsPerTransfer / 2, 0.001) * Stopwatch.Frequency;

    // If the delay of a completion exceeds the delay of the following completions by at least this time, the thread was late: all transfers in the queue had
    // ended before the thread handled the completion.
    private readonly double _late = QueueOf(serviceInterval.TotalSeconds * packetsPerTransfer, transfers) * Stopwatch.Frequency;

    private double _expected = double.NaN;
    private double _behind;
    private double _best = double.PositiveInfinity;
    private double _worst = double.NegativeInfinity;
    private double _worstBefore = double.NegativeInfinity; // of the window before
    private double _behindWhileLate;
    private double _behindBefore; // before the last increase
    private double _behindWhileLateBefore;
    private double _longestDelay;
    private int _completions;
    private long _windowStart;
    private long _windowEnd;

    /// <summary>Gets the estimated number of missed intervals.</summary>
    public long Count => (long)Math.Round(_behind / _ticksPerInterval);

    /// <summary>Gets the estimated number of intervals that were missed because the thread that handles events was late.</summary>
    public long CountWhileLate => Math.Min(Count, (long)Math.Round(_behindWhileLate / _ticksPerInterval));

    /// <summary>Gets the longest time between a completion and its handling, in ticks.</summary>
    public long LongestDelayTicks => (long)_longestDelay;

    /// <summary>Records a completion.</summary>
    /// <param name="now">The time at which the completion was handled.</param>
    /// <param name="intervals">
    /// The number of the stream's packets so far, including the packets of this completion. Each packet takes one service interval.
    /// </param>
    /// <returns>Whether the counts may have changed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(long now, long intervals)
    {
        double start = now - (intervals * _ticksPerInterval); // the start of the stream, computed from this completion
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
        if (_completions == 1)
        {
            if (_windowStart == 0) // the first completion of the stream
                _windowStart = now;
            // A delay can begin exactly between two windows. The first completion therefore also belongs to the previous window.
            _worstBefore = Math.Max(_worstBefore, _worst);
        }

        if (_completions < FewestCompletions)
        {
            // The thread may be handling completions that ended while it was late. The window must contain all of them.
            _windowEnd = now + _window;
            return false;
        }

        CloseWindow(now);
        return true;
    }

    /// <summary>
    /// Evaluates the last window at the end of the stream, if the window has enough completions. If the stream continues later, the intervals of the pause do
    /// not count as missed.
    /// </summary>
    /// <param name="now">The time at which the last completion was handled.</param>
    /// <param name="intervals">
    /// The number of the stream's packets so far, including the packets of this completion. Each packet takes one service interval.
    /// </param>
    public void Finish(long now, long intervals)
    {
        if (_completions >= FewestCompletions)
            CloseWindow(now);
        if (!double.IsNaN(_expected)) // no window follows, so the last completion takes the place of its best one
            MeasureDelay(Math.Max(_worst, _worstBefore), now - (intervals * _ticksPerInterval));
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
        bool wasLate = MeasureDelay(_worstBefore, _best);
        double change = _best - _expected - _behind;
        if (Math.Abs(change) <= Drift * (now - _windowStart))
        {
            _expected += change;
        }
        else if (change > _least)
        {
            (_behindBefore, _behindWhileLateBefore) = (_behind, _behindWhileLate);
            _behind += change;
            if (wasLate)
                _behindWhileLate += change;
        }
        else if (change < 0)
        {
            // The earlier delay was overestimated.
            double before = _expected + _behind;
            _behind = Math.Max(0, _behind + change);
            // The delays of two windows differ by a little. No such difference may remain as a missed interval.
            if (Math.Abs(_behind - _behindBefore) < _least)
                (_behind, _behindWhileLate) = (_behindBefore, _behindWhileLateBefore);
            else if (_behind < _least)
                _behind = 0;
            _behindWhileLate = Math.Min(_behindWhileLate, _behind);
            _expected = before + change - _behind;
        }

        _best = double.PositiveInfinity;
        _worstBefore = _worst;
        _worst = double.NegativeInfinity;
        _completions = 0;
        _windowStart = now;
        _windowEnd = 0; // the next completion begins a window
    }

    /// <summary>Measures the delay of the most delayed completion of a window. The method compares this completion with a later one.</summary>
    /// <param name="latest">The start of the stream, computed from the delayed completion.</param>
    /// <param name="next">The start of the stream, computed from the later completion.</param>
    /// <returns>Whether the thread was late: all transfers in the queue had ended before the thread handled the delayed completion.</returns>
    private bool MeasureDelay(double latest, double next)
    {
        bool wasLate = latest - next >= _late;
        double expected = _expected + _behind;
        // If the thread was late, the delay includes the intervals that the stream missed because the thread was late. If the thread was on time, the delay
        // includes no missed intervals.
        if (wasLate || next - expected <= _least)
            next = Math.Min(next, expected);
        _longestDelay = Math.Max(_longestDelay, latest - next);
        return wasLate;
    }

    // Returns a limit. If the difference between two delays is at least this limit, all transfers in the queue had ended before the thread ran. `others` is the
    // duration of all transfers in the queue except the first one. The measured difference can be smaller than `others` for three reasons: the first completion
    // after the gap may be the last completion of its window, the host controller may continue the stream late, and the most punctual completion of the next
    // window may be late too.
    private static double QueueOf(double transferTime, int transfers)
    {
        double others = transferTime * (transfers - 1);
        return Math.Max(others - transferTime - Ahead - Math.Max(transferTime / 2, 0.001), others / 2);
    }
}
