using System.Diagnostics;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests how the library finds missed service intervals. The library compares the clocks of the host and the device. These tests simulate both clocks with
/// numbers, and choose the drift and the delays.
/// </summary>
public sealed class MissedIntervalsTests
{
    private const int Packets = 32;

    private static readonly TimeSpan s_interval = TimeSpan.FromMicroseconds(125);

    private readonly MissedIntervals _missed = new(s_interval, Packets, transfers: 16);
    private long _intervals;
    private double _time = 1000;

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

    [Fact]
    public void Intervals_missed_just_before_the_end_are_counted_at_the_end()
    {
        Stream(seconds: 3);
        _time += 0.5;
        Stream(seconds: 0.1); // not a whole window
        Assert.InRange(_missed.Count, 0, 100);
        _missed.Finish(Now(0));
        Assert.InRange(_missed.Count, 3900, 4100);
    }

    [Fact]
    public void The_time_between_two_runs_is_not_missed()
    {
        Stream(seconds: 3);
        _missed.Finish(Now(0));
        _time += 10;
        Stream(seconds: 3);
        Assert.InRange(_missed.Count, 0, Packets);
        _time += 0.5;
        Stream(seconds: 3);
        Assert.InRange(_missed.Count, 3900, 4100); // intervals that are missed later still count
    }

    /// <summary>Simulates completed transfers for some time.</summary>
    /// <param name="seconds">The time in seconds.</param>
    /// <param name="late">The maximum of the random delay of a completion, in seconds.</param>
    /// <param name="drift">The relative difference between the two clocks.</param>
    /// <param name="shift">A delay in seconds that all completions have.</param>
    private void Stream(double seconds, double late = 0, double drift = 0, double shift = 0)
    {
        var random = new Random(1);
        for (double end = _time + seconds; _time < end;)
        {
            _time += Packets * s_interval.TotalSeconds * (1 + drift);
            _intervals += Packets;
            _missed.Add(Now(shift + (late * random.NextDouble())), _intervals);
        }
    }

    private long Now(double late) => (long)((_time + late) * Stopwatch.Frequency);
}
