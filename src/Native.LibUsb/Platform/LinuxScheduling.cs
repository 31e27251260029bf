using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Controls the scheduling of the calling thread on Linux.</summary>
internal static unsafe partial class LinuxScheduling
{
    private const int Fifo = 1; // SCHED_FIFO
    private const int ResetOnFork = 0x40000000; // SCHED_RESET_ON_FORK
    private const int ConfiguredProcessors = 83; // _SC_NPROCESSORS_CONF, of glibc and of musl
    private const int NotPermitted = 1; // EPERM
    private const int Invalid = 22; // EINVAL
    private const int BitsPerWord = 64;
    private const int Words = 128; // for the largest number of processors that Linux supports

    /// <summary>Gets the number of processors of the machine.</summary>
    public static int ProcessorCount => (int)Math.Clamp(SystemConfiguration(ConfiguredProcessors), 1, Words * BitsPerWord);

    /// <exception cref="UnauthorizedAccessException">Linux does not permit this priority.</exception>
    /// <exception cref="Win32Exception">Linux reported another error.</exception>
    public static void MakeRealTime(int priority)
    {
        // This method uses pthread_setschedparam, because musl does not implement sched_setscheduler. Code in a callback may start threads, including threads
        // of the thread pool. Because of ResetOnFork, these threads do not inherit the real-time priority.
        int error = SetSchedulingParameters(Self(), Fifo | ResetOnFork, &priority);
        if (error == NotPermitted)
        {
            throw new UnauthorizedAccessException(string.Create(CultureInfo.InvariantCulture,
                $"Linux does not permit this program the real-time priority {priority}. Give it RLIMIT_RTPRIO of {priority} or more (rtprio in /etc/security/limits.conf, ") +
                "LimitRTPRIO of systemd, --ulimit rtprio of containers), or the capability CAP_SYS_NICE.");
        }

        if (error != 0)
            throw new Win32Exception(error);
    }

    /// <exception cref="UnauthorizedAccessException">Linux does not allow this process to use one or more of these processors.</exception>
    /// <exception cref="Win32Exception">Linux reported another error.</exception>
    public static void Confine(ReadOnlySpan<int> processors)
    {
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        foreach (int processor in processors)
            mask[processor / BitsPerWord] |= 1UL << (processor % BitsPerWord);
        ulong* before = stackalloc ulong[Words];
        bool hasBefore = GetAffinity(0, Words * sizeof(ulong), before) == 0;
        if (SetAffinity(0, Words * sizeof(ulong), mask) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw error is Invalid or NotPermitted ? NotAllowed() : new Win32Exception(error);
        }

        // Linux silently ignores processors that a container or a cpuset does not allow.
        ulong* after = stackalloc ulong[Words];
        if (GetAffinity(0, Words * sizeof(ulong), after) == 0 && !new Span<ulong>(mask, Words).SequenceEqual(new Span<ulong>(after, Words)))
        {
            if (hasBefore)
                _ = SetAffinity(0, Words * sizeof(ulong), before);
            throw NotAllowed();
        }
    }

    private static UnauthorizedAccessException NotAllowed() =>
        new("Linux does not allow this program to use one or more of these processors. They are offline, or are not in the program's cpuset (--cpuset-cpus of a container, AllowedCPUs of systemd).");

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint Self();

    [LibraryImport("libc", EntryPoint = "pthread_setschedparam")]
    private static partial int SetSchedulingParameters(nint thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nuint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nuint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial nint SystemConfiguration(int name);
}
