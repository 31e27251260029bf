using System.Text;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests the event thread that a context starts by itself: which operations start this thread, and when the thread ends.</summary>
public sealed class AutomaticEventsTests : BusTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly HashSet<string> _threadsBefore = [.. EventThreads()]; // an event thread of an earlier test may still be ending

    /// <summary>Gets the number of event threads that this test has started. Threads of earlier tests are not counted.</summary>
    private int Started => EventThreads().Count(thread => !_threadsBefore.Contains(thread));

    [BusFact]
    public async Task An_awaited_read_starts_a_thread_that_runs_until_the_context_closes()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        Assert.Equal(0, Started);
        ValueTask<int> reading = input.ReadAsync(new byte[512]);
        AssertThreads(1);
        Assert.Equal(3, await output.WriteAsync(new byte[3]));
        Assert.Equal(3, await reading);
        AssertThreads(1);
        Assert.Throws<InvalidOperationException>(() => Context.StartEventThread()); // the context already has an event thread
        output.Write(new byte[5], Patience); // a synchronous transfer while the event thread runs
        Assert.Equal(5, await input.ReadAsync(new byte[512]));
        Context.Dispose();
        AssertThreads(0);
    }

    [BusFact]
    public async Task An_awaited_control_request_starts_the_event_thread()
    {
        UsbDeviceHandle handle = Open(_loopback);
        Assert.Equal(18, await handle.ControlReadAsync(new UsbControlSetup(0x80, 6, 0x0100, 0), new byte[18]));
        AssertThreads(1);
    }

    [BusFact]
    public async Task An_awaited_submission_starts_the_event_thread_and_ends_at_its_time_limit()
    {
        UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(20));
        UsbException late = await Assert.ThrowsAsync<UsbException>(async () => await transfer.SubmitAsync());
        Assert.Equal(UsbError.Timeout, late.Error);
        AssertThreads(1);
    }

    [BusFact]
    public async Task A_ring_starts_the_event_thread()
    {
        UsbDeviceHandle handle = Open(_loopback);
        using UsbInputRing ring = handle.At(BulkLoopback.InAddress).CreateInputRing(new UsbRingOptions { TransferSize = 512 });
        Assert.Equal(0, Started);
        ring.Start();
        AssertThreads(1);
        handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        using (UsbInputBuffer buffer = await ring.ReadAsync())
            Assert.Equal(3, buffer.Length);
        await ring.StopAsync();
    }

    [BusFact]
    public async Task Watching_devices_starts_the_event_thread()
    {
        using var enough = new CancellationTokenSource();
        IAsyncEnumerable<UsbHotplugNotification> devices = Context.WatchDevicesAsync(enumerate: false, cancellationToken: enough.Token);
        AssertThreads(1);
        Bus.Attach(_loopback);
        await foreach (UsbHotplugNotification notification in devices)
        {
            using UsbDevice device = notification.Device;
            Assert.Equal(UsbHotplugEvents.Arrived, notification.Event);
            break;
        }
    }

    [BusFact]
    public void Programs_that_handle_events_themselves_get_no_event_thread()
    {
        UsbDeviceHandle handle = Open(_loopback);
        using UsbTransfer transfer = handle.CreateTransfer();
        int completed = 0;
        transfer.SetBulk(BulkLoopback.OutAddress, 8, _ => completed++);
        transfer.Submit();
        Assert.Equal(0, Started);
        HandleEventsUntil(() => completed == 1);
        int arrived = 0;
        using UsbHotplugRegistration registration = Context.RegisterHotplug(
            notification =>
            {
                notification.Device.Dispose();
                Interlocked.Increment(ref arrived);
            },
            enumerate: false);
        Bus.Attach(new IsoSource());
        HandleEventsUntil(() => Volatile.Read(ref arrived) == 1);
        using (var poller = new UsbPoller(Context, new UsbSystemPoller()))
        {
            transfer.Submit();
            while (completed < 2)
                poller.Poll(default, Patience);
        }

        Assert.Equal(0, Started);
    }

    [BusFact]
    public async Task An_event_thread_starts_only_after_the_programs_own_thread_has_stopped_handling_events()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        using UsbTransfer transfer = handle.CreateTransfer();
        using var pumps = new SemaphoreSlim(0);
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ => pumps.Release());
        transfer.Submit();
        bool stop = false;
        var pump = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
                Context.HandleEvents();
        });
        pump.Start();
        Assert.True(await pumps.WaitAsync(Patience));
        Assert.Equal(0, await input.ReadAsync(new byte[512])); // the empty packet
        ValueTask<int> reading = input.ReadAsync(new byte[512]);
        Assert.Equal(1, await output.WriteAsync(new byte[1]));
        Assert.Equal(1, await reading);
        Assert.Equal(0, Started);

        ValueTask<int> outstanding = input.ReadAsync(new byte[512]);
        Volatile.Write(ref stop, true);
        Context.InterruptEventHandlers();
        pump.Join();
        AssertThreads(1);
        output.Write(new byte[2], Patience);
        Assert.Equal(2, await outstanding);
    }

    [BusFact]
    public void In_manual_mode_no_event_thread_starts_and_one_warning_is_logged()
    {
        var warnings = new List<string>();
        using var context = new UsbContext(new UsbContextOptions
        {
            ManualEventHandling = true,
            LogLevel = UsbLogLevel.Warning,
            LogHandler = (level, message) =>
            {
                string text = Encoding.UTF8.GetString(message);
                if (text.Contains("no thread handles the events", StringComparison.Ordinal))
                {
                    lock (warnings)
                        warnings.Add($"{level}: {text}");
                }
            },
        });
        Bus.Attach(_loopback);
        using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        UsbEndpoint input = claimed.GetEndpoint(BulkLoopback.InAddress), output = claimed.GetEndpoint(BulkLoopback.OutAddress);
        ValueTask<int> first = input.ReadAsync(new byte[512]), second = input.ReadAsync(new byte[512]);
        ValueTask<int> writing = output.WriteAsync(new byte[700]);
        Assert.Equal(0, Started);
        Assert.Single(warnings);
        Assert.StartsWith("Warning: Native.LibUsb: an awaitable operation starts", warnings[0], StringComparison.Ordinal);
        Assert.False(first.IsCompleted);
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!(first.IsCompleted && second.IsCompleted && writing.IsCompleted))
        {
            Assert.True(Environment.TickCount64 < end, "The awaited operations did not complete.");
            context.HandleEvents(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal((512, 188, 700), (first.Result, second.Result, writing.Result));
        Assert.Equal(0, Started);
        Assert.Single(warnings);
    }

    [BusFact]
    public void A_forgotten_context_is_collected_its_thread_ends_and_its_descriptors_are_closed()
    {
        Bus.Attach(_loopback);
        int descriptors = EventDescriptors();
        WeakReference? forgotten = null;
        int started = 0;
        var forgetting = new Thread(() => forgotten = Forget(out started)); // no stack refers to the context after this thread has ended
        forgetting.Start();
        Assert.True(forgetting.Join(Patience));
        CollectUntil(() => !forgotten!.IsAlive && Started == 0 && EventDescriptors() <= descriptors);
        Assert.Equal(1, started);
        using UsbDevice? found = Context.FindDevice(_loopback.Options.VendorId, _loopback.Options.ProductId);
        Assert.NotNull(found); // the other context still works
    }

    [BusFact]
    public async Task Other_threads_may_handle_events_beside_the_event_thread()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        ValueTask<int> first = input.ReadAsync(new byte[512]);
        bool stop = false;
        var pump = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
                Context.HandleEvents(TimeSpan.FromMilliseconds(1));
        });
        pump.Start();
        for (int i = 1; i <= 100; i++)
        {
            Assert.Equal(i, await output.WriteAsync(new byte[i]));
            Assert.Equal(i, await first);
            first = input.ReadAsync(new byte[512]);
        }

        Volatile.Write(ref stop, true);
        pump.Join();
        AssertThreads(1);
        Assert.Equal(1, await output.WriteAsync(new byte[1]));
        Assert.Equal(1, await first);
    }

    private void AssertThreads(int expected) => Assert.True(SpinWait.SpinUntil(() => Started == expected, Patience), $"{Started} event threads run.");

    private static IEnumerable<string> EventThreads() => Directory.GetDirectories("/proc/self/task").Where(static task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim() == new UsbEventThreadOptions().Name;
        }
        catch (IOException)
        {
            return false; // the thread has just ended
        }
    });

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private WeakReference Forget(out int started)
    {
        var context = new UsbContext();
        UsbDeviceHandle handle = context.FindDevice(_loopback.Options.VendorId, _loopback.Options.ProductId)!.Open();
        Assert.Equal(18, handle.ControlReadAsync(new UsbControlSetup(0x80, 6, 0x0100, 0), new byte[18]).AsTask().GetAwaiter().GetResult());
        AssertThreads(1);
        started = Started;
        GC.KeepAlive(context); // until here; the finalizer of the context would end the thread
        return new WeakReference(context);
    }

    /// <summary>Counts the descriptors that libusb opens for contexts. Each context has an eventfd and a timerfd.</summary>
    private static int EventDescriptors() => Directory.GetFiles("/proc/self/fd").Count(static path =>
        new FileInfo(path).LinkTarget is { } target && (target.Contains("eventfd", StringComparison.Ordinal) || target.Contains("timerfd", StringComparison.Ordinal)));
}
