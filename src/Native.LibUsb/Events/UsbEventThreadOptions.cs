namespace Native.LibUsb;

/// <summary>Specifies the options of an event thread.</summary>
/// <remarks>
/// A thread with real-time priority runs before all ordinary ones, also before those of the program: its callbacks must be short. Leave it a
/// processor that others can do without.
/// </remarks>
public sealed record UsbEventThreadOptions
{
    /// <summary>Gets or sets the thread's name, as debuggers and profilers show it.</summary>
    public string Name { get; init; } = "libusb events";

    /// <summary>
    /// Gets or sets the real-time priority, 1 to 99; 0, the default, is an ordinary thread.
    /// <para>Linux: <c>SCHED_FIFO</c> with this priority, which threads that callbacks start do not inherit. It needs <c>RLIMIT_RTPRIO</c> of at
    /// least this number, or the capability <c>CAP_SYS_NICE</c>.</para>
    /// <para>macOS: a time-constraint thread, half a millisecond of computation within one millisecond, regardless of the number. No permission is needed.</para>
    /// <para>Windows: <c>THREAD_PRIORITY_TIME_CRITICAL</c>, regardless of the number. No permission is needed.</para>
    /// </summary>
    public int RealTimePriority { get; init; }

    /// <summary>
    /// Gets or sets the processors it may run on, numbered from 0; null is all that the process has.
    /// <para>Linux: <c>sched_setaffinity</c>. A container or <c>taskset</c> may allow fewer than there are.</para>
    /// <para>Windows: processors are counted through their groups, and must be of one group (of up to 64).</para>
    /// <para>macOS has no such thing.</para>
    /// <para>Threads that a callback starts may inherit it.</para>
    /// </summary>
    public IReadOnlyCollection<int>? Processors { get; init; }

    /// <summary>Gets or sets what happens when <see cref="RealTimePriority"/> or <see cref="Processors"/> is refused.</summary>
    public UsbSchedulingDemand Scheduling { get; init; }
}
