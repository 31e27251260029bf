namespace Native.LibUsb.Streaming;

/// <summary>Represents the moment at which a call that blocks its thread gives up.</summary>
internal readonly struct WaitDeadline
{
    private const long Never = long.MaxValue;

    private readonly long _end; // in milliseconds, as Environment.TickCount64 counts

    private WaitDeadline(long end) => _end = end;

    /// <summary>Gets how long to wait at most, in a form that every wait accepts; zero when the time is over.</summary>
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
    /// <param name="timeout">Null and <see cref="Timeout.InfiniteTimeSpan"/> are no limit; zero is not to wait.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    public static WaitDeadline After(TimeSpan? timeout)
    {
        if (timeout is not { } time || time == Timeout.InfiniteTimeSpan)
            return new WaitDeadline(Never);
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));
        return new WaitDeadline(Environment.TickCount64 + (long)Math.Ceiling(time.TotalMilliseconds)); // TimeSpan.MaxValue is 9.2e14 ms: no overflow
    }
}
