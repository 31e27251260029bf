using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Provides scenarios that start event threads in a process without the capability CAP_SYS_NICE. The process first drops this capability.</summary>
internal static class RealTimeScenarios
{
    /// <summary>Specifies the highest priority that the limit of <see cref="PermittedByLimit"/> allows.</summary>
    public const int Limit = 10;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Checks a process that lacks the capability and whose RLIMIT_RTPRIO is 0. The system must refuse real-time priority to this process.</summary>
    public static void NotPermitted()
    {
        Assert.Equal(0, LinuxThread.SetRealTimeLimit(0));
        LinuxThread.DropNice();
        using var context = new UsbContext();
        using UsbDeviceHandle handle = Open(context);

        UnauthorizedAccessException refused = Assert.Throws<UnauthorizedAccessException>(
            () => context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = 10, Scheduling = UsbSchedulingDemand.Required }));
        Assert.Contains("RLIMIT_RTPRIO", refused.Message, StringComparison.Ordinal);
        Assert.Contains("CAP_SYS_NICE", refused.Message, StringComparison.Ordinal);

        // The refused event thread has ended. The next event thread runs without real-time priority.
        using UsbEventThread events = context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = 10, Processors = [LinuxThread.Processors()[0]] });
        Assert.True(events.IsRunning);
        Assert.Equal(0, events.RealTimePriority);
        Assert.IsType<UnauthorizedAccessException>(events.RealTimeFailure);
        Assert.Null(events.AffinityFailure); // the processors are set although the priority is refused
        Assert.Equal([LinuxThread.Processors()[0]], events.Processors!);
        (int policy, _, int[] processors) = OnEventThread(handle);
        Assert.Equal(LinuxThread.Ordinary, policy);
        Assert.Single(processors);
    }

    /// <summary>Checks that a process without the capability may use priorities up to its limit.</summary>
    public static void PermittedByLimit()
    {
        Assert.Equal(0, LinuxThread.SetRealTimeLimit(Limit));
        LinuxThread.DropNice();
        using var context = new UsbContext();
        using UsbDeviceHandle handle = Open(context);
        Assert.Throws<UnauthorizedAccessException>(
            () => context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = Limit + 1, Scheduling = UsbSchedulingDemand.Required }));
        using UsbEventThread events = context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = Limit, Scheduling = UsbSchedulingDemand.Required });
        Assert.Equal(Limit, events.RealTimePriority);
        Assert.Equal((LinuxThread.Fifo, Limit), OnEventThread(handle) is var (policy, priority, _) ? (policy, priority) : default);
    }

    private static UsbDeviceHandle Open(UsbContext context)
    {
        using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        return handle;
    }

    private static (int Policy, int Priority, int[] Processors) OnEventThread(UsbDeviceHandle handle)
    {
        (int, int, int[]) seen = default;
        using var called = new ManualResetEventSlim();
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            seen = (LinuxThread.Policy(), LinuxThread.Priority(), LinuxThread.Processors());
            called.Set();
        });
        transfer.Submit();
        Assert.True(called.Wait(s_patience));
        return seen;
    }
}
