using System.Globalization;

namespace Native.LibUsb;

/// <summary>Represents the scheduling that an event thread is to have, and the result of the attempt. The thread applies it to itself.</summary>
internal sealed class ThreadScheduling
{
    private const int HighestPriority = 99;

    private readonly int _priority;
    private readonly int[]? _processors;

    /// <exception cref="ArgumentException">No operating system could do it, or this machine has no such processor.</exception>
    public ThreadScheduling(UsbEventThreadOptions options)
    {
        _priority = options.RealTimePriority;
        if (_priority is < 0 or > HighestPriority)
        {
            throw new ArgumentOutOfRangeException(nameof(options), _priority,
                $"{nameof(UsbEventThreadOptions.RealTimePriority)} is 1 to {HighestPriority}, or 0 for an ordinary thread.");
        }

        if (options.Scheduling is not (UsbSchedulingDemand.BestEffort or UsbSchedulingDemand.Required))
            throw new ArgumentOutOfRangeException(nameof(options), options.Scheduling, $"There is no such {nameof(UsbSchedulingDemand)}.");
        if (options.Processors is null)
            return;
        _processors = [.. options.Processors.Distinct().Order()]; // a copy: the thread reads it, and the program may change its own
        if (_processors.Length == 0)
            throw new ArgumentException($"{nameof(UsbEventThreadOptions.Processors)} is empty: a thread needs one. Null is all of them.", nameof(options));
        int count = ProcessorCount;
        foreach (int processor in _processors)
        {
            if (processor >= 0 && processor < count)
                continue;
            string there = count == int.MaxValue ? "Processors are numbered from 0." : $"This machine has processors 0 to {count - 1}.";
            throw new ArgumentOutOfRangeException(nameof(options), processor, string.Create(CultureInfo.InvariantCulture, $"There is no processor {processor}. {there}"));
        }

        if (OperatingSystem.IsWindows())
            WindowsScheduling.CheckOneGroup(_processors, nameof(options));
    }

    /// <summary>Gets whether anything is to be done.</summary>
    public bool IsAsked => _priority != 0 || _processors is not null;

    /// <summary>Gets the priority that the thread got; 0 is none.</summary>
    public int Priority { get; private set; }

    /// <summary>Gets the processors it was confined to; null is all of the process.</summary>
    public int[]? Processors { get; private set; }

    public Exception? PriorityFailure { get; private set; }

    public Exception? AffinityFailure { get; private set; }

    // The number of processors by which the program counts, and not Environment.ProcessorCount: that is what this process may use, in numbers that have gaps.
    private static int ProcessorCount =>
        OperatingSystem.IsLinux() ? LinuxScheduling.ProcessorCount
        : OperatingSystem.IsWindows() ? WindowsScheduling.ProcessorCount
        : int.MaxValue;

    /// <summary>Schedules the calling thread. It never throws.</summary>
    public void Apply()
    {
        // First the processors: a real-time thread would wait for its turn there like any other.
        if (_processors is not null)
        {
            AffinityFailure = Try(Confine);
            if (AffinityFailure is null)
                Processors = _processors;
        }

        if (_priority != 0)
        {
            PriorityFailure = Try(Raise);
            if (PriorityFailure is null)
                Priority = _priority;
        }
    }

    private void Confine()
    {
        if (OperatingSystem.IsLinux())
            LinuxScheduling.Confine(_processors!);
        else if (OperatingSystem.IsWindows())
            WindowsScheduling.Confine(_processors!);
        else
            throw new PlatformNotSupportedException("This operating system does not let a program choose the processors of a thread.");
    }

    private void Raise()
    {
        if (OperatingSystem.IsLinux())
            LinuxScheduling.MakeRealTime(_priority);
        else if (OperatingSystem.IsWindows())
            WindowsScheduling.MakeTimeCritical();
        else if (OperatingSystem.IsMacOS() || OperatingSystem.IsMacCatalyst())
            MacScheduling.MakeTimeConstrained();
        else
            throw new PlatformNotSupportedException("Real-time priority is for Linux, macOS and Windows.");
    }

    // The thread that requested the scheduling decides what a failure means.
    private static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
