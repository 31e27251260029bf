namespace Native.LibUsb.Streaming;

/// <summary>Represents the time at which a blocking call stops waiting.</summary>
internal readonly struct WaitDeadline
{
    private const long Never = long.MaxValue;

    private readonly long _end; // in milliseconds, on the scale of Environment.TickCount64

    private WaitDeadline(long end) => _end = end;

    /// <summary>Gets the remaining time, in a form that every wait method accepts; zero if the deadline has passed.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (_end == Never)
                return Timeout.InfiniteTimeSpan;
            return TimeSpan.FromMilliseconds(Math.Clamp(_end - Environment.TickCount64, 0, int.MaxValue));
        }
    }

    /// <summary>Returns the deadline of a call that begins now.</summary>
    /// <param name="timeout">The longest time to wait. Null and <see cref="Timeout.InfiniteTimeSpan"/> mean no limit; zero means no wait.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    public static WaitDeadline After(TimeSpan? timeout)
    {
        if (timeout is not { } time || time == Timeout.InfiniteTimeSpan)
            return new WaitDeadline(Never);
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));
        return new WaitDeadline(Environment.TickCount64 + (long)Math.Ceiling(time.TotalMilliseconds)); // TimeSpan.MaxValue is 9.2e14 ms: no overflow
    }
}
