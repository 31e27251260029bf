using System.Diagnostics;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests how the library finds missed service intervals. The library compares the clock of the host with the clock of the device. These tests simulate both
/// clocks, so that each test can choose the drift and the delays.
/// </summary>
public sealed class MissedIntervalsTests
{
    private const int Packets = 32;
    private const int Transfers = 16;

    private static readonly TimeSpan s_interval = TimeSpan.FromMicroseconds(125);

    private readonly Random _random = new(1);
    private MissedIntervals _missed = new(s_interval, Packets, Transfers);
    private long _intervals;
    private double _time = 1000;

    private static double TransferTime => Packets * s_interval.TotalSeconds;

    private static double QueueTime => Transfers * TransferTime;

    [Fact]
    public void A_stream_that_keeps_time_misses_nothing()
    {
        Stream(seconds: 20);
        Assert.Equal(0, _missed.Count);
    }

    [Theory]
    [InlineData(0.0004)]
    [InlineData(-0.0004)]
    public void Clocks_that_drift_miss_nothing(double drift)
    {
        Stream(seconds: 60, drift: drift);
        Assert.InRange(_missed.Count, 0, Packets);
    }

    [Fact]
    public void A_busy_machine_that_sees_completions_late_misses_nothing()
    {
        Stream(seconds: 10, late: 0.02);
        Assert.Equal(0, _missed.Count);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.005)]
    public void A_pause_of_the_stream_is_counted(double late)
    {
        Stream(seconds: 3, late: late);
        _time += 0.5; // 4,000 intervals without a transfer
        Stream(seconds: 3, late: late);
        Assert.InRange(_missed.Count, 3900, 4100);
    }

    [Fact]
    public void A_window_with_only_late_completions_is_corrected_by_the_next()
    {
        Stream(seconds: 3);
        Stream(seconds: 0.5, shift: 0.1); // the program paused, and the device did not
        Stream(seconds: 3);
        Assert.InRange(_missed.Count, 0, Packets);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.03)] // the delay grows from window to window
    public void Windows_with_only_late_completions_leave_no_missed_interval(double growth)
    {
        Stream(seconds: 3, late: 0.0005);
        for (int delay = 0; delay < 200; delay++)
        {
            Stream(seconds: 0.5, late: 0.002, shift: 0.01);
            Stream(seconds: 0.5, late: 0.002, shift: 0.01 + growth);
            Stream(seconds: 1, late: 0.0005);
            Assert.Equal(0, _missed.Count);
        }
    }

    [Fact]
    public void Windows_with_only_late_completions_leave_earlier_counts_as_they_are()
    {
        Stream(seconds: 3, late: 0.0005);
        Sleep(0.5);
        Stream(seconds: 1, late: 0.0005);
        _time += 0.5;
        Stream(seconds: 3, late: 0.0005);
        (long count, long whileLate) = (_missed.Count, _missed.CountWhileLate);
        for (int delay = 0; delay < 200; delay++)
        {
            Complete(0.2); // the next window therefore counts as missed because the thread was late
            Stream(seconds: 0.3, late: 0.002, shift: 0.1);
            Stream(seconds: 1, late: 0.0005);
            Assert.Equal((count, whileLate), (_missed.Count, _missed.CountWhileLate));
        }
    }

    [Fact]
    public void Intervals_missed_just_before_the_end_are_counted_at_the_end()
    {
        Stream(seconds: 3);
        _time += 0.5;
        Stream(seconds: 0.1); // not a whole window
        Assert.InRange(_missed.Count, 0, 100);
        Finish();
        Assert.InRange(_missed.Count, 3900, 4100);
    }

    [Fact]
    public void The_time_between_two_runs_is_not_missed()
    {
        Stream(seconds: 3);
        Finish();
        _time += 10;
        Stream(seconds: 3);
        Assert.InRange(_missed.Count, 0, Packets);
        _time += 0.5;
        Stream(seconds: 3);
        Assert.InRange(_missed.Count, 3900, 4100); // intervals that are missed later still count
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.5, 0.008)] // the host controller continues the stream some frames after the submission
    [InlineData(0.1, 0)] // the gap begins and ends in one window
    public void Intervals_that_the_event_thread_slept_through_were_missed_because_it_was_late(double sleep, double restart)
    {
        Stream(seconds: 3.1);
        Sleep(sleep, restart);
        Stream(seconds: 3);
        AssertMissed(sleep - QueueTime + restart);
        Assert.Equal(_missed.Count, _missed.CountWhileLate);
        AssertLongestDelay(sleep - TransferTime);
    }

    [Theory]
    [InlineData(Transfers, 0.1, 0)]
    [InlineData(Transfers, 0.1, 0.008)]
    [InlineData(Transfers, 0.5, 0)]
    [InlineData(Transfers, 0.5, 0.008)]
    [InlineData(4, 0.04, 0)]
    [InlineData(64, 0.3, 0.008)]
    public void A_delay_has_the_same_counts_at_every_place_of_a_window(int transfers, double sleep, double restart)
    {
        for (int place = 0; place < 70; place++)
        {
            _missed = new MissedIntervals(s_interval, Packets, transfers);
            Stream(seconds: 3 + (place * TransferTime));
            Sleep(sleep, restart, transfers);
            Stream(seconds: 1);
            AssertMissed(sleep - (transfers * TransferTime) + restart);
            Assert.Equal(_missed.Count, _missed.CountWhileLate);
            AssertLongestDelay(sleep - TransferTime);
        }
    }

    [Fact]
    public void A_gap_has_the_same_counts_at_every_place_of_a_window()
    {
        for (int place = 0; place < 70; place++)
        {
            _missed = new MissedIntervals(s_interval, Packets, Transfers);
            Stream(seconds: 3 + (place * TransferTime));
            _time += 0.1;
            Stream(seconds: 1);
            AssertMissed(0.1);
            Assert.Equal(0, _missed.CountWhileLate);
            AssertLongestDelay(0);
        }
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.5, 0.005)]
    [InlineData(0.1, 0)] // the gap begins and ends in one window
    [InlineData(0.1, 0.005)]
    [InlineData(0.03, 0)] // shorter than the queue
    public void A_gap_while_the_thread_is_in_time_is_no_delay(double gap, double late)
    {
        Stream(seconds: 3.1, late: late);
        _time += gap;
        Stream(seconds: 3, late: late);
        AssertMissed(gap);
        Assert.Equal(0, _missed.CountWhileLate);
        AssertLongestDelay(late);
    }

    [Fact]
    public void Gaps_that_recur_while_the_thread_is_in_time_are_no_delay()
    {
        Stream(seconds: 3);
        for (int gap = 0; gap < 40; gap++)
        {
            _time += 0.05;
            Stream(seconds: 0.05); // several gaps in each window
        }

        Stream(seconds: 3);
        AssertMissed(40 * 0.05);
        Assert.Equal(0, _missed.CountWhileLate);
        AssertLongestDelay(0);
    }

    [Fact]
    public void A_thread_that_is_late_again_and_again_misses_intervals_each_time()
    {
        Stream(seconds: 3);
        for (int sleep = 0; sleep < 20; sleep++)
        {
            Sleep(0.1);
            Stream(seconds: 0.4);
        }

        Stream(seconds: 3);
        AssertMissed(20 * (0.1 - QueueTime));
        Assert.Equal(_missed.Count, _missed.CountWhileLate);
        AssertLongestDelay(0.1 - TransferTime);
    }

    [Fact]
    public void Each_gap_has_its_own_cause()
    {
        Stream(seconds: 3);
        _time += 0.5;
        Stream(seconds: 1);
        Sleep(0.2);
        Stream(seconds: 1);
        _time += 0.5;
        Stream(seconds: 3);
        AssertMissed(1.0 + 0.2 - QueueTime);
        Assert.InRange(_missed.CountWhileLate * s_interval.TotalSeconds, 0.2 - QueueTime - 0.002, 0.2 - QueueTime + 0.002);
        AssertLongestDelay(0.2 - TransferTime);
    }

    [Fact]
    public void A_delay_that_the_queue_outlasts_misses_nothing()
    {
        Stream(seconds: 3.1);
        Sleep(0.04);
        Stream(seconds: 3);
        Assert.Equal((0, 0), (_missed.Count, _missed.CountWhileLate));
        AssertLongestDelay(0.04 - TransferTime);
    }

    [Fact]
    public void A_delay_of_a_whole_window_counts()
    {
        Stream(seconds: 3);
        Stream(seconds: 0.5, shift: 0.1);
        Stream(seconds: 3);
        AssertLongestDelay(0.1);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0.12)] // less than one window
    public void A_delay_just_before_the_end_counts(double before)
    {
        Stream(seconds: before);
        Sleep(0.04);
        Stream(seconds: 0.02);
        Finish();
        AssertLongestDelay(0.04 - TransferTime);
    }

    [Fact]
    public void A_delay_at_the_end_counts_with_the_intervals_that_were_missed_during_it()
    {
        Stream(seconds: 3);
        Sleep(0.5);
        Finish();
        AssertLongestDelay(0.5 - TransferTime);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.1)] // in the last window
    public void A_gap_just_before_the_end_is_no_delay(double gap)
    {
        Stream(seconds: 3.1);
        _time += gap;
        Stream(seconds: 0.02);
        Finish();
        Assert.Equal(0, _missed.CountWhileLate);
        AssertLongestDelay(0);
    }

    [Fact]
    public void A_stream_that_ends_at_once_has_no_delay()
    {
        Finish();
        Stream(seconds: 0.02);
        Finish();
        Finish();
        Assert.Equal((0, 0), (_missed.Count, _missed.LongestDelayTicks));
    }

    /// <summary>Simulates a stream of completed transfers.</summary>
    /// <param name="seconds">The duration of the stream, in seconds.</param>
    /// <param name="late">The maximum random delay of a completion, in seconds.</param>
    /// <param name="drift">The relative difference between the two clocks.</param>
    /// <param name="shift">The constant delay of all completions, in seconds.</param>
    private void Stream(double seconds, double late = 0, double drift = 0, double shift = 0)
    {
        for (double end = _time + seconds; _time < end;)
            Complete(shift + (late * _random.NextDouble()), drift);
    }

    /// <summary>
    /// Simulates an event thread that sleeps, and then handles the transfers that ended during the sleep. If all transfers end during the sleep, the stream
    /// pauses until the event thread submits transfers again.
    /// </summary>
    /// <param name="seconds">The time from the last completion to the end of the sleep, in seconds.</param>
    /// <param name="restart">The time from the end of the sleep to the end of the pause, in seconds.</param>
    /// <param name="transfers">The number of transfers in the queue.</param>
    private void Sleep(double seconds, double restart = 0, int transfers = Transfers)
    {
        double end = _time + seconds;
        int transfer = 0;
        for (; transfer < transfers && _time + TransferTime <= end; transfer++)
            Complete(end - (_time + TransferTime));
        if (transfer == transfers)
            _time = end + restart;
    }

    private void Finish() => _missed.Finish(Now(0), _intervals);

    /// <summary>Asserts the missed time, to within half a transfer.</summary>
    private void AssertMissed(double seconds) =>
        Assert.InRange(_missed.Count * s_interval.TotalSeconds, seconds - (TransferTime / 2), seconds + (TransferTime / 2));

    private void AssertLongestDelay(double seconds) =>
        Assert.InRange((double)_missed.LongestDelayTicks / Stopwatch.Frequency, seconds - 0.001, seconds + 0.001);

    private void Complete(double late, double drift = 0)
    {
        _time += TransferTime * (1 + drift);
        _intervals += Packets;
        _missed.Add(Now(late), _intervals);
    }

    private long Now(double late) => (long)((_time + late) * Stopwatch.Frequency);
}
