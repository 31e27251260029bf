using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Represents the scheduling that was requested for an event thread, and the scheduling that the operating system granted. The event thread itself calls
/// <see cref="Apply"/>.
/// </summary>
internal sealed class ThreadScheduling
{
    private const int HighestPriority = 99;

    private readonly int _priority;
    private readonly int[]? _processors;

    /// <exception cref="ArgumentException">
    /// An option is out of range, the list of processors is empty, or the list contains a processor that this machine does not have.
    /// </exception>
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
        _processors = [.. options.Processors.Distinct().Order()]; // a copy, because the program may change its list while the thread reads
        if (_processors.Length == 0)
            throw new ArgumentException($"{nameof(UsbEventThreadOptions.Processors)} is empty: a thread needs at least one processor. Null allows all processors.", nameof(options));
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

    /// <summary>Gets whether a priority or processors were requested.</summary>
    public bool IsAsked => _priority != 0 || _processors is not null;

    /// <summary>Gets the real-time priority that the thread has; 0 if it has none.</summary>
    public int Priority { get; private set; }

    /// <summary>Gets the processors to which the thread is confined; null if it may use all processors of the process.</summary>
    public int[]? Processors { get; private set; }

    public Exception? PriorityFailure { get; private set; }

    public Exception? AffinityFailure { get; private set; }

    // The number of processors in the machine. The options number these processors, beginning with 0. Environment.ProcessorCount counts only the processors
    // that this process may use, so a valid processor number can be greater than this count. For example, if the process may use only the processors 4 and 5,
    // Environment.ProcessorCount is 2.
    private static int ProcessorCount =>
        OperatingSystem.IsLinux() ? LinuxScheduling.ProcessorCount
        : OperatingSystem.IsWindows() ? WindowsScheduling.ProcessorCount
        : int.MaxValue;

    /// <summary>Schedules the calling thread. It never throws.</summary>
    public void Apply()
    {
        // The processors are set first. Real-time priority would not shorten the wait until the thread runs on its new processor.
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

    // The exception is returned, because the thread that requested the scheduling decides whether a failure is an error.
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
