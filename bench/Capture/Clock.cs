using System.Runtime.InteropServices;

namespace Native.LibUsb.Bench;

/// <summary>Provides the clocks that the program in C uses.</summary>
internal static unsafe partial class Clock
{
    public const int Wall = 1, Process = 2, Thread = 3;

    /// <summary>Returns the time of a clock in nanoseconds.</summary>
    public static long Now(int clock)
    {
        long* time = stackalloc long[2];
        _ = clock_gettime(clock, time);
        return (time[0] * 1_000_000_000) + time[1];
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}
