namespace Native.LibUsb;

/// <summary>Converts time limits of transfers to libusb's format: an unsigned number of milliseconds, where 0 means no limit.</summary>
internal static class TransferTimeout
{
    private const double LongestMilliseconds = int.MaxValue;

    /// <summary>Throws if a time limit is out of range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is zero, negative, or longer than 24.8 days.</exception>
    public static void Check(TimeSpan? timeout) => _ = ToMilliseconds(timeout);

    /// <exception cref="ArgumentOutOfRangeException">The time is zero, negative, or longer than 24.8 days.</exception>
    public static uint ToMilliseconds(TimeSpan? timeout)
    {
        if (timeout is not { } time || time == Timeout.InfiniteTimeSpan)
            return 0;
        double milliseconds = Math.Ceiling(time.TotalMilliseconds); // 0.4 ms must not become 0, which means no limit
        if (time <= TimeSpan.Zero || milliseconds > LongestMilliseconds)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), time,
                "The time limit of a transfer is 1 millisecond to 24.8 days, or null or Timeout.InfiniteTimeSpan for no limit. libusb has no transfer that does not wait.");
        }

        return (uint)milliseconds;
    }
}
