using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Measures the duration of ring callbacks. The clock stops measuring a callback when the same thread begins its next callback or has finished handling events.
/// Therefore, the clock needs only one timestamp for each callback.
/// </summary>
internal sealed class CallbackClock
{
    [ThreadStatic]
    private static CallbackClock? t_clock;

    private CallbackTimes? _open; // the ring of the callback that is being measured; null if there is none
    private long _began;

    /// <summary>Starts to measure a callback on this thread.</summary>
    /// <param name="times">Receives the duration of the callback.</param>
    /// <returns>The timestamp at which the callback began.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Begin(CallbackTimes times)
    {
        long now = Stopwatch.GetTimestamp();
        CallbackClock? clock = t_clock;
        if (clock is null || clock._open != times || now - clock._began > times.LongestTicks)
            BeginOther(times, now);
        else
            clock._began = now;
        return now;
    }

    /// <summary>Ends the measurement of the last callback, after the thread has handled events.</summary>
    public static void End()
    {
        if (t_clock is { _open: { } times } clock)
        {
            times.Add(Stopwatch.GetTimestamp() - clock._began);
            clock._open = null;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BeginOther(CallbackTimes times, long now)
    {
        CallbackClock clock = t_clock ??= new CallbackClock();
        clock._open?.Add(now - clock._began);
        clock._open = times;
        clock._began = now;
    }
}
