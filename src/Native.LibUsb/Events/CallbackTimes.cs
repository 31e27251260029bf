namespace Native.LibUsb;

/// <summary>Represents the measured duration of the callbacks of one ring.</summary>
internal sealed class CallbackTimes
{
    private long _longest;

    /// <summary>Gets the duration of the longest callback, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long LongestTicks => Volatile.Read(ref _longest);

    /// <summary>
    /// Records the duration of a callback. Several threads may call this method at the same time. For example, one thread may have stopped handling events and
    /// still be recording its last callback, while another thread is already handling events and recording other callbacks.
    /// </summary>
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
