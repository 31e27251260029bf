using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Measures the callbacks of rings with one timestamp each: on a thread that handles events, a callback ends where the next one begins, or where the call
/// that handles events returns.
/// </summary>
internal sealed class CallbackClock
{
    [ThreadStatic]
    private static CallbackClock? t_clock;

    private CallbackTimes? _open; // of the callback that has no end yet
    private long _began;

    /// <summary>Starts to measure a callback on this thread.</summary>
    /// <param name="times">What takes its duration.</param>
    /// <returns>The timestamp.</returns>
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
