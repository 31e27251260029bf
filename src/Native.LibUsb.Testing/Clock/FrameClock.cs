using System.Diagnostics;

namespace Native.LibUsb.Testing;

/// <summary>Represents the (micro)frame clock that all virtual buses of the process share. It counts real time in units of 125 µs and runs timers.</summary>
/// <remarks>One thread fires all timers. The thread is started when the first timer is set. It sleeps while no timer is set, and does not allocate memory while
/// it runs.</remarks>
internal static unsafe class FrameClock
{
    public const int MicroframesPerSecond = 8000;

    private static readonly long s_start = Stopwatch.GetTimestamp();
    private static readonly Lock s_lock = new();
    private static readonly List<FrameTimer> s_timers = [];
    private static long s_wakeAt = long.MaxValue;
    private static int s_event = -1;

    /// <summary>Gets the number of microframes since the clock started.</summary>
    public static long Now => (long)((Int128)(Stopwatch.GetTimestamp() - s_start) * MicroframesPerSecond / Stopwatch.Frequency);

    /// <summary>Converts a reading of the machine's monotonic clock to a time of the frame clock. The reading comes from another process.</summary>
    /// <param name="microframe">The lower 32 bits of the reading, in microframes.</param>
    public static long FromMonotonic(uint microframe)
    {
        // Stopwatch reads the same monotonic clock. The method subtracts the other process's reading from the current reading. The difference is the time since
        // the other process read the clock. If the difference is negative, the other process has read a different clock. In this case, the method returns the
        // current time.
        int ago = (int)((uint)((Int128)Stopwatch.GetTimestamp() * MicroframesPerSecond / Stopwatch.Frequency) - microframe);
        return Now - Math.Max(ago, 0);
    }

    public static void Set(FrameTimer timer, long due)
    {
        lock (s_lock)
        {
            if (timer.Due == FrameTimer.Never)
                s_timers.Add(timer);
            timer.Due = due;
            if (s_event < 0)
                Start();
            if (due < s_wakeAt)
                Wake();
        }
    }

    public static void Cancel(FrameTimer timer)
    {
        lock (s_lock)
        {
            s_timers.Remove(timer);
            timer.Due = FrameTimer.Never;
        }
    }

    private static void Start()
    {
        const int closeOnExec = 0x80000, nonBlocking = 0x800;
        s_event = Libc.EventDescriptor(0, closeOnExec | nonBlocking);
        new Thread(Run, 256 * 1024) { IsBackground = true, Name = "usb-frames" }.Start();
    }

    private static void Wake()
    {
        long one = 1;
        _ = Libc.Write(s_event, &one, sizeof(long));
    }

    private static void Run()
    {
        Libc.PollDescriptor poll = new() { Descriptor = s_event, Events = Libc.PollIn };
        while (true)
        {
            FrameTimer? due = null;
            long now = Now;
            lock (s_lock)
            {
                s_wakeAt = long.MaxValue;
                foreach (FrameTimer timer in s_timers)
                    if (timer.Due <= now && (due is null || timer.Due < due.Due))
                        due = timer;
                    else if (timer.Due < s_wakeAt)
                        s_wakeAt = timer.Due;
                if (due is not null)
                {
                    s_timers.Remove(due);
                    due.Due = FrameTimer.Never;
                }
            }
            if (due is not null)
            {
                due.Fire();
                continue;
            }
            if (s_wakeAt == long.MaxValue)
            {
                Wait(&poll, null);
            }
            else
            {
                // the time from now to the start of the microframe in which the next timer expires, in nanoseconds
                long elapsed = Stopwatch.GetTimestamp() - s_start;
                long nanoseconds = (s_wakeAt * (1_000_000_000 / MicroframesPerSecond)) - (long)((Int128)elapsed * 1_000_000_000 / Stopwatch.Frequency);
                Libc.TimeSpec rest = new() { Seconds = (nint)(Math.Max(nanoseconds, 0) / 1_000_000_000), Nanoseconds = (nint)(Math.Max(nanoseconds, 0) % 1_000_000_000) };
                Wait(&poll, &rest);
            }
        }
    }

    private static void Wait(Libc.PollDescriptor* poll, Libc.TimeSpec* rest)
    {
        long count;
        if (Libc.Poll(poll, 1, rest, null) > 0)
            _ = Libc.Read(poll->Descriptor, &count, sizeof(long));
    }
}
