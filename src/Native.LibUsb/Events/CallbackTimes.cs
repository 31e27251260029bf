namespace Native.LibUsb;

/// <summary>Represents the measured duration of the callbacks of one ring.</summary>
internal sealed class CallbackTimes
{
    private long _longest;

    /// <summary>Gets the longest callback, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long LongestTicks => Volatile.Read(ref _longest);

    /// <summary>Takes the duration of a callback. Threads that handle events one after the other may call it at the same time.</summary>
    public void Add(long ticks)
    {
        long longest = LongestTicks;
        while (ticks > longest)
        {
            long before = Interlocked.CompareExchange(ref _longest, ticks, longest);
            if (before == longest)
                return;
            longest = before;
        }
    }
}
