namespace Native.LibUsb;

/// <summary>How an event thread is made.</summary>
/// <remarks>
/// A thread with real-time priority runs before all ordinary ones, also before those of the program: its callbacks must be short. Leave it a
/// processor that others can do without.
/// </remarks>
public sealed record UsbEventThreadOptions
{
    /// <summary>Its name, as debuggers and profilers show it.</summary>
    public string Name { get; init; } = "libusb events";

    /// <summary>
    /// Real-time priority, 1 to 99; 0, which is what it is when left out, is an ordinary thread.
    /// <para>Linux: <c>SCHED_FIFO</c> with this priority, which threads that callbacks start do not inherit. It needs <c>RLIMIT_RTPRIO</c> of at
    /// least this number, or the capability <c>CAP_SYS_NICE</c>.</para>
    /// <para>macOS: a time-constraint thread, half a millisecond of computation within one millisecond, whatever the number is. Anybody may.</para>
    /// <para>Windows: <c>THREAD_PRIORITY_TIME_CRITICAL</c>, whatever the number is. Anybody may.</para>
    /// </summary>
    public int RealTimePriority { get; init; }

    /// <summary>
    /// The processors it may run on, numbered from 0; null is all that the process has.
    /// <para>Linux: <c>sched_setaffinity</c>. A container or <c>taskset</c> may allow fewer than there are.</para>
    /// <para>Windows: processors are counted through their groups, and must be of one group (of up to 64).</para>
    /// <para>macOS has no such thing.</para>
    /// <para>Threads that a callback starts may inherit it.</para>
    /// </summary>
    public IReadOnlyCollection<int>? Processors { get; init; }

    /// <summary>What happens when <see cref="RealTimePriority"/> or <see cref="Processors"/> is refused.</summary>
    public UsbSchedulingDemand Scheduling { get; init; }
}
