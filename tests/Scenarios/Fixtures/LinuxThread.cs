using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests;

/// <summary>
/// Reads the scheduling parameters of the calling Linux thread, sets the limit for real-time priority, and drops the capability CAP_SYS_NICE.
/// </summary>
internal static unsafe partial class LinuxThread
{
    public const int Ordinary = 0; // SCHED_OTHER
    public const int Fifo = 1; // SCHED_FIFO
    public const int ResetOnFork = 0x40000000; // SCHED_RESET_ON_FORK

    private const int RealTimeLimit = 14; // RLIMIT_RTPRIO
    private const int Nice = 23; // CAP_SYS_NICE
    private const uint CapabilityVersion = 0x20080522;
    private const int Words = 128;

    /// <summary>Gets the scheduling policy of the calling thread, without flags.</summary>
    public static int Policy() => PolicyAndFlags() & ~ResetOnFork;

    /// <summary>Gets the scheduling policy of the calling thread, including its flags.</summary>
    public static int PolicyAndFlags() => GetScheduler(0);

    public static int Priority()
    {
        int priority;
        return GetParameters(0, &priority) == 0 ? priority : -1;
    }

    /// <summary>Gets the processors on which the calling thread may run.</summary>
    public static int[] Processors()
    {
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        Assert.Equal(0, GetAffinity(0, Words * sizeof(ulong), mask));
        var processors = new List<int>();
        for (int i = 0; i < Words * 64; i++)
        {
            if ((mask[i / 64] >> (i % 64) & 1) != 0)
                processors.Add(i);
        }

        return [.. processors];
    }

    /// <summary>
    /// Returns the reason why the system refuses real-time priority to the threads of this process. If the system permits this priority, the result is null.
    /// </summary>
    public static string? RealTimeRefusal()
    {
        int error = 0;
        var thread = new Thread(() =>
        {
            int priority = 1;
            error = SetParameters(Self(), Fifo, &priority);
        });
        thread.Start();
        thread.Join();
        return error == 0 ? null : $"This process may not have real-time priority (errno {error}).";
    }

    /// <summary>
    /// Returns the reason why a child of this process cannot set RLIMIT_RTPRIO to <paramref name="limit"/>. If the child can set this limit, the result is
    /// null.
    /// </summary>
    public static string? RealTimeLimitRefusal(ulong limit)
    {
        ulong* limits = stackalloc ulong[2];
        if (GetLimit(RealTimeLimit, limits) != 0 || limits[1] >= limit)
            return null;
        limits[1] = limit; // root may raise the hard limit, and it stays raised
        return SetLimit(RealTimeLimit, limits) == 0 ? null : $"This process may not raise RLIMIT_RTPRIO to {limit} (errno {Marshal.GetLastPInvokeError()}).";
    }

    /// <summary>Drops the capability CAP_SYS_NICE of the calling thread, and of the threads that the calling thread starts later.</summary>
    public static void DropNice()
    {
        var header = new CapabilityHeader { Version = CapabilityVersion };
        CapabilityData* data = stackalloc CapabilityData[2];
        Assert.Equal(0, GetCapabilities(&header, data));
        data[0].Effective &= ~(1u << Nice);
        data[0].Permitted &= ~(1u << Nice);
        data[0].Inheritable &= ~(1u << Nice);
        Assert.Equal(0, SetCapabilities(&header, data));
    }

    /// <returns>0 on success; otherwise errno.</returns>
    public static int SetRealTimeLimit(ulong limit)
    {
        ulong* limits = stackalloc ulong[2] { limit, limit };
        return SetLimit(RealTimeLimit, limits) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc", EntryPoint = "sched_getscheduler")]
    private static partial int GetScheduler(int thread);

    [LibraryImport("libc", EntryPoint = "sched_getparam")]
    private static partial int GetParameters(int thread, int* priority);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint Self();

    [LibraryImport("libc", EntryPoint = "pthread_setschedparam")]
    private static partial int SetParameters(nint thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "capget")]
    private static partial int GetCapabilities(CapabilityHeader* header, CapabilityData* data);

    [LibraryImport("libc", EntryPoint = "capset")]
    private static partial int SetCapabilities(CapabilityHeader* header, CapabilityData* data);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, ulong* limits);

    private struct CapabilityHeader
    {
        public uint Version;
        public int Thread;
    }

    private struct CapabilityData
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }
}
