using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests lost wake-ups, signals, large numbers of events, and exceptions that must not propagate into libusb.</summary>
public sealed partial class EventTrapTests : BusTest
{
    [BusFact]
    public void Many_threads_handle_events_and_no_wake_up_is_lost()
    {
        const int rounds = 300;
        BulkLoopback[] loopbacks = [.. Enumerable.Range(0, 3).Select(i => new BulkLoopback(new BulkLoopbackOptions { ProductId = (ushort)(0x20 + i) }))];
        UsbDeviceHandle[] handles = [.. loopbacks.Select(Open)];
        var failures = new ConcurrentQueue<Exception>();
        Context.StartEventThread();
        Thread[] pumps = [.. Enumerable.Range(0, 3).Select(_ => Start(failures, () =>
        {
            while (true)
                Context.HandleEvents();
        }))];

        long began = Stopwatch.GetTimestamp();
        Thread[] workers = [.. handles.Take(2).Select(handle => Start(failures, () =>
        {
            byte[] data = new byte[64];
            for (int round = 0; round < rounds; round++)
            {
                Assert.Equal(64, handle.At(BulkLoopback.OutAddress).Write(data));
                Assert.Equal(64, handle.At(BulkLoopback.InAddress).Read(data));
            }
        }))];
        using var done = new ManualResetEventSlim();
        int left = 10 * rounds;
        using UsbTransfer transfer = handles[2].CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 64, t =>
        {
            if (--left > 0)
                t.Submit();
            else
                done.Set();
        });
        transfer.Submit();
        Assert.True(done.Wait(Patience));
        Assert.All(workers, worker => Assert.True(worker.Join(Patience)));
        // A thread that misses its wake-up waits until libusb's timeout of 60 seconds.
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Patience);
        Context.Dispose();
        Assert.All(pumps, pump => Assert.True(pump.Join(Patience)));
        Assert.All(failures, failure => Assert.IsType<ObjectDisposedException>(failure));
    }

    [BusFact]
    public void Waiting_for_a_flag_ends_when_any_thread_handles_the_event()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using UsbEventThread events = Context.StartEventThread();
        int[] flag = [0];
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ => Volatile.Write(ref flag[0], 1));
        var random = new Random(3);
        long began = Stopwatch.GetTimestamp();
        for (int round = 0; round < 1000; round++)
        {
            flag[0] = 0;
            transfer.Submit();
            if (round % 100 == 0)
                Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience)); // the flag is set, and no later event could end the wait
            else
                Thread.SpinWait(random.Next(2000));
            do
                Context.HandleEventsUntil(ref flag[0]);
            while (Volatile.Read(ref flag[0]) == 0);
            Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        }

        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Patience);
    }

    [BusFact]
    public void The_event_thread_stops_while_another_thread_handles_events()
    {
        var failures = new ConcurrentQueue<Exception>();
        Thread pump = Start(failures, () =>
        {
            while (true)
                Context.HandleEvents();
        });
        long began = Stopwatch.GetTimestamp();
        for (int round = 0; round < 300; round++)
        {
            UsbEventThread events = Context.StartEventThread();
            events.Dispose();
            Assert.False(events.IsRunning);
            Assert.Null(events.Failure);
        }

        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Patience);
        Context.Dispose();
        Assert.True(pump.Join(Patience));
        Assert.IsType<ObjectDisposedException>(Assert.Single(failures));
    }

    [BusTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_signal_is_no_error(bool withEventThread)
    {
        const int signals = 100;
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using var delivered = new SemaphoreSlim(0);
        using PosixSignalRegistration registration = PosixSignalRegistration.Create((PosixSignal)WindowChanged, _ => delivered.Release());
        var failures = new ConcurrentQueue<Exception>();
        UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        Thread? pump = withEventThread ? null : Start(failures, () =>
        {
            while (true)
                Context.HandleEvents();
        });

        using var completed = new SemaphoreSlim(0);
        int thread = 0;
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            Volatile.Write(ref thread, CurrentThread());
            completed.Release();
        });
        transfer.Submit();
        Assert.True(completed.Wait(Patience));
        for (int i = 0; i < signals; i++)
        {
            // The signal is sent to the thread that waits in poll. The signal makes poll fail with EINTR, even with SA_RESTART.
            Assert.Equal(0, Kill(Environment.ProcessId, thread, WindowChanged));
            Assert.True(delivered.Wait(Patience));
        }

        Assert.Empty(failures);
        Assert.Null(events?.Failure);
        Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        transfer.Submit();
        Assert.True(completed.Wait(Patience)); // the thread still handles events
        Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        Assert.NotEqual(false, events?.IsRunning);
        Context.Dispose();
        Assert.NotEqual(false, pump?.Join(Patience));
        Assert.All(failures, failure => Assert.IsType<ObjectDisposedException>(failure));
    }

    [BusTheory]
    [InlineData("by hand")]
    [InlineData("event thread")]
    [InlineData("poller")]
    public void A_flood_on_one_handle_is_handled_whole_and_starves_no_other(string how)
    {
        const int flood = 100; // libusb processes 26 completions of one handle at a time
        BulkLoopback first = new(), second = new(new BulkLoopbackOptions { ProductId = 0x0012 });
        UsbDeviceHandle flooded = Open(first), other = Open(second);
        var order = new List<UsbDeviceHandle>();
        using var all = new ManualResetEventSlim();
        void Note(UsbTransfer transfer)
        {
            order.Add(transfer.Handle);
            if (order.Count == flood + 1)
                all.Set();
        }

        foreach (UsbDeviceHandle handle in Enumerable.Repeat(flooded, flood).Append(other))
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.OutAddress, 1, Note);
            transfer.Submit();
        }

        Assert.True(first.Endpoint(BulkLoopback.OutAddress).WaitForCompleted(flood, Patience));
        Assert.True(second.Endpoint(BulkLoopback.OutAddress).WaitForCompleted(1, Patience));
        Assert.False(flooded.IsKernelDriverActive(0)); // the node answers this call after all its completions, so all of them are ready
        Assert.False(other.IsKernelDriverActive(0));
        // On a real kernel, the answers of the bus arrive with a delay, so the transfers may still be in flight at this point. The test therefore handles the
        // first event only after the device nodes of both handles are ready.
        foreach (UsbPollFd node in Context.GetPollFds().Where(descriptor => (descriptor.Events & UsbPollEvents.Out) != 0))
        {
            var ready = new UsbSystemPoller();
            ready.Register(node.FileDescriptor, node.Events);
            Assert.Equal(1, ready.Poll(new UsbPollFd[1], Patience));
        }

        int calls = 0;
        switch (how)
        {
            case "by hand":
                while (order.Count <= flood)
                {
                    int before = order.Count;
                    Context.HandleEvents(Patience);
                    calls += order.Count > before ? 1 : 0; // a call may return without handling a completion
                }

                Assert.True(calls > 1);
                break;
            case "poller":
                using (var poller = new UsbPoller(Context, new UsbSystemPoller()))
                {
                    while (order.Count <= flood)
                        poller.Poll([], Patience);
                }

                break;
            default:
                using (Context.StartEventThread())
                    Assert.True(all.Wait(Patience));
                break;
        }

        Assert.Equal(flood, order.Count(handle => handle == flooded));
        Assert.InRange(order.IndexOf(other), 0, flood - 1); // the other handle does not wait for all transfers of the first handle
    }

    [BusFact]
    public void The_log_handler_receives_lines_from_threads_of_libusb()
    {
        int own = Environment.CurrentManagedThreadId;
        using var foreign = new ManualResetEventSlim();
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            context.SetLogHandler((_, _) =>
            {
                if (Environment.CurrentManagedThreadId != own)
                    foreign.Set();
                throw new InvalidDataException("on a thread of libusb, where no managed caller can catch this exception");
            });
            Bus.Attach(new BulkLoopback()); // libusb's hotplug thread logs the arrival; no thread handles events
            Assert.True(foreign.Wait(Patience));
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }
    }

    [BusFact]
    public void Notifiers_of_descriptors_are_callbacks_too()
    {
        UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbDeviceHandle second = Open(new BulkLoopback(new BulkLoopbackOptions { ProductId = 0x0012 }));
        UsbTransfer waiting = second.CreateTransfer();
        UsbTransferStatus? status = null;
        waiting.SetBulk(BulkLoopback.InAddress, 512, t => status = t.Status);
        waiting.Submit();
        var refused = new List<string>();
        Context.SetPollFdNotifiers(null, _ =>
        {
            if (refused.Count > 0)
                return;
            foreach ((string name, Action act) in new (string, Action)[]
            {
                ("events", () => Context.HandleEvents()), // would wait for 60 seconds, because closing holds the event lock
                ("read", () => second.At(BulkLoopback.InAddress).Read(new byte[8])),
            })
            {
                if (Record.Exception(act) is InvalidOperationException)
                    refused.Add(name);
            }

            second.Dispose(); // the handle closes later, because libusb_close inside libusb_close would deadlock
            Assert.Null(status);
        });
        handle.Dispose();
        Assert.Equal(["events", "read"], refused);
        Assert.Equal(UsbTransferStatus.Canceled, status); // both handles are closed when the outer Dispose returns
        Assert.True(waiting.IsDisposed);
    }

    [BusFact]
    public void Notifiers_are_called_for_every_descriptor_until_the_context_is_closed()
    {
        var watched = new HashSet<int>();
        var context = new UsbContext();
        context.SetPollFdNotifiers(added => Assert.True(watched.Add(added.FileDescriptor)), removed => Assert.True(watched.Remove(removed)));
        watched.UnionWith(context.GetPollFds().Select(descriptor => descriptor.FileDescriptor));
        Bus.Attach(new BulkLoopback());
        using (UsbDevice device = context.FindDevice(0x1209, 0x0011)!)
            device.Open();
        Assert.Equal(watched.Order(), context.GetPollFds().Select(descriptor => descriptor.FileDescriptor).Order());
        context.Dispose();
        Assert.Empty(watched);
    }

    [BusFact]
    public unsafe void Nothing_that_a_callback_throws_crosses_libusb()
    {
        var reports = new ConcurrentQueue<string>();
        Context.UnhandledCallbackException += (_, e) => reports.Enqueue(e.Exception.Message);
        UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, static _ => throw new InvalidDataException("delegate"));
        SubmitAndFinish();
        transfer.SetHandler<ThrowingHandler>();
        SubmitAndFinish();
        transfer.SetHandler(&Throw);
        SubmitAndFinish();
        Context.SetPollFdNotifiers(static _ => throw new InvalidDataException("added"), static _ => throw new InvalidDataException("removed"));
        using (UsbDevice device = Context.FindDevice(0x1209, 0x0011)!)
            device.Open().Dispose();
        Context.SetPollFdNotifiers(null, null);
        Assert.Equal(["delegate", "handler", "pointer", "added", "removed"], reports);

        void SubmitAndFinish()
        {
            transfer.Submit();
            Finish(transfer);
        }
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_pump_throws_exceptions_that_no_subscriber_handled(bool subscriberThrows)
    {
        if (subscriberThrows)
            Context.UnhandledCallbackException += static (_, _) => throw new FormatException("subscriber");
        UsbDeviceHandle handle = Open(new BulkLoopback());
        for (int i = 0; i < 2; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.OutAddress, 0, static _ => throw new InvalidDataException("callback"));
            transfer.Submit();
        }

        handle.Dispose(); // both callbacks run in this call, which throws nothing
        Exception? thrown = Record.Exception(() => Context.HandleEvents(TimeSpan.Zero));
        string[] messages = [.. Assert.IsType<AggregateException>(thrown).Flatten().InnerExceptions.Select(exception => exception.Message)];
        Assert.Equal(subscriberThrows ? ["callback", "subscriber", "callback", "subscriber"] : ["callback", "callback"], messages);
        Context.HandleEvents(TimeSpan.Zero); // does not throw the exceptions a second time
    }

    private const int WindowChanged = 28; // SIGWINCH, which is ignored by default

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int Kill(int process, int thread, int signal);

    private static Thread Start(ConcurrentQueue<Exception> failures, Action work)
    {
        var thread = new Thread(() =>
        {
            if (Record.Exception(work) is { } failure)
                failures.Enqueue(failure);
        });
        thread.Start();
        return thread;
    }

    private static void Throw(UsbTransfer transfer) => throw new InvalidDataException("pointer");

    private readonly struct ThrowingHandler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer) => throw new InvalidDataException("handler");
    }
}
