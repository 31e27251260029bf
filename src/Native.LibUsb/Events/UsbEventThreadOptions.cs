namespace Native.LibUsb;

/// <summary>Specifies the options of an event thread.</summary>
/// <remarks>
/// A thread with real-time priority takes precedence over all ordinary threads, including the ordinary threads of this program. Therefore, callbacks on an
/// event thread with real-time priority must be short. Confine such a thread to a processor that other threads do not need.
/// </remarks>
public sealed record UsbEventThreadOptions
{
    /// <summary>Gets or sets the thread's name, as debuggers and profilers show it.</summary>
    public string Name { get; init; } = "libusb events";

    /// <summary>
    /// Gets or sets the real-time priority, 1 to 99. With 0, the default, the thread has no real-time priority.
    /// <para>Linux: the thread is scheduled by <c>SCHED_FIFO</c> with this priority. Threads that a callback starts do not inherit the priority. The process
    /// needs an <c>RLIMIT_RTPRIO</c> of at least this priority, or the capability <c>CAP_SYS_NICE</c>.</para>
    /// <para>macOS: the thread is a time-constraint thread, which may compute for half a millisecond in each millisecond. All values from 1 to 99 have the same
    /// effect. No permission is needed.</para>
    /// <para>Windows: the thread has <c>THREAD_PRIORITY_TIME_CRITICAL</c>. All values from 1 to 99 have the same effect. No permission is needed.</para>
    /// </summary>
    public int RealTimePriority { get; init; }

    /// <summary>
    /// Gets or sets the processors on which the thread may run, numbered from 0. With null, the thread may use all processors of the process.
    /// <para>Linux: the thread calls <c>sched_setaffinity</c>. If a processor is offline or is not in the process's cpuset (for example, the cpuset of a
    /// container), Linux refuses the option.</para>
    /// <para>Windows: the numbers continue across processor groups, so the first processor of a group follows the last processor of the previous group. A group
    /// has up to 64 processors. All processors of this list must be in the same group.</para>
    /// <para>macOS does not support this option.</para>
    /// <para>Threads that a callback starts may inherit the restriction.</para>
    /// </summary>
    public IReadOnlyCollection<int>? Processors { get; init; }

    /// <summary>Gets or sets what happens if the operating system refuses <see cref="RealTimePriority"/> or <see cref="Processors"/>.</summary>
    public UsbSchedulingDemand Scheduling { get; init; }
}
