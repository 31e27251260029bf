using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>
/// Tests how event threads start and stop, and how they are scheduled. The tests read the scheduling parameters from Linux, on the event thread itself.
/// </summary>
public sealed class EventThreadTests : BusTest
{
    private readonly UsbDeviceHandle _handle;

    public EventThreadTests() => _handle = Open(new BulkLoopback());

    [BusFact]
    public void The_event_thread_is_an_ordinary_thread_by_default()
    {
        using UsbEventThread events = Context.StartEventThread();
        Assert.Equal((LinuxThread.Ordinary, 0), OnThread(static () => (LinuxThread.PolicyAndFlags(), LinuxThread.Priority())));
        Assert.Equal(LinuxThread.Processors(), OnThread(LinuxThread.Processors));
        Assert.Equal(0, events.RealTimePriority);
        Assert.Null(events.RealTimeFailure);
        Assert.Null(events.Processors);
        Assert.Null(events.AffinityFailure);
    }

    [BusTheory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(99)]
    public void The_event_thread_has_the_requested_real_time_priority(int priority)
    {
        SkipIf(LinuxThread.RealTimeRefusal());
        using UsbEventThread events = Context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = priority, Scheduling = UsbSchedulingDemand.Required });
        Assert.Equal(priority, events.RealTimePriority); // the priority is set before StartEventThread returns
        Assert.Null(events.RealTimeFailure);
        Assert.Equal((LinuxThread.Fifo, priority), OnThread(static () => (LinuxThread.Policy(), LinuxThread.Priority())));
    }

    [BusTheory]
    [InlineData(10)]
    public void Threads_that_a_callback_starts_are_ordinary_ones(int priority)
    {
        SkipIf(LinuxThread.RealTimeRefusal());
        using UsbEventThread events = Context.StartEventThread(new UsbEventThreadOptions { RealTimePriority = priority, Scheduling = UsbSchedulingDemand.Required });
        Assert.Equal(LinuxThread.Ordinary, OnThread(static () =>
        {
            int policy = -1;
            var child = new Thread(() => policy = LinuxThread.Policy());
            child.Start();
            child.Join();
            return policy;
        }));
    }

    [BusFact]
    public void The_event_thread_runs_on_the_requested_processors()
    {
        int[] all = LinuxThread.Processors();
        foreach (int processor in (int[])[all[0], all[^1]])
        {
            var chosen = new List<int> { processor, processor };
            using UsbEventThread events = Context.StartEventThread(new UsbEventThreadOptions { Processors = chosen, Scheduling = UsbSchedulingDemand.Required });
            chosen.Clear(); // the event thread has copied the list
            Assert.Equal([processor], events.Processors!);
            Assert.Equal([processor], OnThread(LinuxThread.Processors));
            Assert.Equal(LinuxThread.Ordinary, OnThread(LinuxThread.Policy));
        }

        using UsbEventThread everywhere = Context.StartEventThread(new UsbEventThreadOptions { Processors = [.. Enumerable.Reverse(all)] });
        Assert.Equal(all, OnThread(LinuxThread.Processors));
        Assert.Equal(all, everywhere.Processors!);
    }

    [BusFact]
    public void Bad_options_are_refused_before_anything_starts()
    {
        Refuse<ArgumentOutOfRangeException>(new UsbEventThreadOptions { RealTimePriority = -1 }, "0 for an ordinary thread");
        Refuse<ArgumentOutOfRangeException>(new UsbEventThreadOptions { RealTimePriority = 100 }, "1 to 99");
        Refuse<ArgumentException>(new UsbEventThreadOptions { Processors = [] }, "empty");
        Refuse<ArgumentOutOfRangeException>(new UsbEventThreadOptions { Processors = [0, -1] }, "no processor -1");
        Refuse<ArgumentOutOfRangeException>(new UsbEventThreadOptions { Processors = [0, 100_000] }, "no processor 100000. This machine has processors 0 to");
        Refuse<ArgumentOutOfRangeException>(new UsbEventThreadOptions { Scheduling = (UsbSchedulingDemand)2 }, "no such");
        using UsbEventThread events = Context.StartEventThread(); // succeeds, because the refused calls started no thread

        void Refuse<T>(UsbEventThreadOptions options, string message)
            where T : ArgumentException
        {
            T refused = Assert.Throws<T>(() => Context.StartEventThread(options));
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
            Assert.Equal("options", refused.ParamName);
        }
    }

    [BusFact]
    public void A_refused_real_time_priority_is_reported_or_thrown()
    {
        _handle.Dispose(); // the other process claims the interface
        FreshProcess.Run(Bus, nameof(RealTimeScenarios.NotPermitted));
    }

    [BusFact]
    public void A_limit_permits_real_time_priority_without_the_capability()
    {
        SkipIf(LinuxThread.RealTimeLimitRefusal(RealTimeScenarios.Limit));
        _handle.Dispose();
        FreshProcess.Run(Bus, nameof(RealTimeScenarios.PermittedByLimit));
    }

    [BusFact]
    public void An_event_thread_starts_and_stops_a_thousand_times()
    {
        var options = new UsbEventThreadOptions { RealTimePriority = 1, Processors = [LinuxThread.Processors()[0]] }; // a refused priority has no effect
        int submitted = 0, completed = 0;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ => Interlocked.Increment(ref completed));
        int rounds = Rounds.Of(1_000);
        for (int round = 0; round < rounds; round++)
        {
            using UsbEventThread events = Context.StartEventThread(round % 2 == 0 ? null : options);
            if (!transfer.IsSubmitted)
            {
                transfer.Submit(); // Dispose stops the event thread at any moment of this transfer
                submitted++;
            }

            events.Dispose();
            Assert.False(events.IsRunning);
            Assert.Null(events.Failure);
        }

        Finish(transfer);
        Assert.Equal(submitted, completed);
    }

    private T OnThread<T>(Func<T> read)
    {
        T seen = default!;
        using var called = new ManualResetEventSlim();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            seen = read();
            called.Set();
        });
        transfer.Submit();
        Assert.True(called.Wait(Patience));
        return seen;
    }

    // Some machines do not permit real-time priority.
    private static void SkipIf(string? refusal) => Assert.SkipWhen(refusal is not null, refusal ?? "");
}
