using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Logging;

/// <summary>Tests the log handler. libusb calls it on any thread while it holds its own locks.</summary>
public sealed class LogTrapTests : BusTest, IDisposable
{
    // Without a process-wide handler, libusb also writes every line to standard error.
    public LogTrapTests() => UsbLibrary.SetLogHandler((_, _) => { });

    public new void Dispose()
    {
        base.Dispose();
        UsbLibrary.SetLogHandler(null);
    }

    [BusFact]
    public void The_level_changes_what_is_logged()
    {
        int lines = 0;
        Context.SetLogHandler((_, _) => lines++);
        foreach ((UsbLogLevel level, bool expected) in ((UsbLogLevel, bool)[])
            [(UsbLogLevel.None, false), (UsbLogLevel.Debug, true), (UsbLogLevel.Warning, false), (UsbLogLevel.Debug, true), (UsbLogLevel.None, false)])
        {
            Context.SetLogLevel(level);
            lines = 0;
            Context.GetDevices().Dispose(); // logs lines at the level Debug only
            Assert.Equal(expected, lines > 0);
        }

        Assert.Throws<UsbException>(() => Context.SetLogLevel((UsbLogLevel)9));
    }

    [BusFact]
    public void A_token_that_a_handler_cancels_cancels_the_call()
    {
        using var cancellation = new CancellationTokenSource();
        UsbDeviceHandle handle = Open(new BulkLoopback());
        Context.StartEventThread();
        Task<int> reading = handle.At(BulkLoopback.InAddress).ReadAsync(new byte[512], cancellation.Token).AsTask();
        Exception? failure = null;
        Context.SetLogHandler((_, _) =>
        {
            if (!cancellation.IsCancellationRequested)
                failure = Record.Exception(cancellation.Cancel);
        });
        Context.SetLogLevel(UsbLogLevel.Debug);
        Context.GetDevices().Dispose();
        Assert.True(cancellation.IsCancellationRequested);
        Assert.Null(failure);
        Assert.True(reading.ContinueWith(static _ => { }, TaskScheduler.Default).Wait(Patience), "The read was not cancelled.");
        Assert.True(reading.IsCanceled);
    }

    // If a log handler cancels a token, the library processes this cancellation only after the handler has returned. By then, the library may already use the
    // transfer of the cancelled call for the next call. The late cancellation must not cancel this next call.
    [BusFact]
    public async Task A_token_that_a_handler_cancels_too_late_leaves_the_next_call_alone()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        Context.StartEventThread();
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        CancellationTokenSource? armed = null;
        Context.SetLogHandler((_, _) => Interlocked.Exchange(ref armed, null)?.Cancel());
        Context.SetLogLevel(UsbLogLevel.Debug);
        byte[] memory = new byte[512];
        for (int round = 0; round < Rounds.Of(100); round++)
        {
            using var cancellation = new CancellationTokenSource();
            Task<int> reading = input.ReadAsync(memory, cancellation.Token).AsTask();
            Volatile.Write(ref armed, cancellation); // the next line that is logged cancels the read, possibly while it ends
            output.Write([1], Patience);
            try
            {
                await reading.WaitAsync(Patience);
            }
            catch (UsbTransferCanceledException canceled)
            {
                if (canceled.BytesTransferred == 0) // the read has not taken the byte
                    Assert.Equal(1, await input.ReadAsync(memory).AsTask().WaitAsync(Patience));
            }

            Task<int> next = input.ReadAsync(memory).AsTask();
            output.Write([2], Patience);
            Assert.Equal(1, await next.WaitAsync(Patience));
        }
    }

    [BusFact]
    public void A_handler_that_throws_changes_nothing()
    {
        int lines = 0;
        Context.UnhandledCallbackException += (_, e) => Assert.Fail($"{e.Exception}");
        Context.SetLogHandler((_, _) =>
        {
            lines++;
            throw new InvalidDataException();
        });
        Context.SetLogLevel(UsbLogLevel.Debug);
        using (UsbDeviceHandle handle = Open(new BulkLoopback()))
            Assert.Equal(1, handle.At(BulkLoopback.OutAddress).Write([1], Patience));
        Context.HandleEvents(TimeSpan.Zero); // would throw an exception that was kept for the pump
        Assert.True(lines > 10);
    }

    // If libusb cannot open a device, it first logs a line and then reads errno. The handler changes errno between these two steps.
    [PreloadOnly(KernelLimits.Permission)]
    [BusFact]
    public void A_handler_does_not_change_the_error_that_libusb_returns()
    {
        Bus.Attach(new BulkLoopback { DenyAccess = true });
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        int lines = 0;
        UsbLogHandler handler = (_, _) =>
        {
            lines++;
            Assert.False(File.Exists("/nowhere"));
            System.Runtime.InteropServices.Marshal.SetLastSystemError(5);
        };
        Context.SetLogLevel(UsbLogLevel.Error);
        Context.SetLogHandler(handler);
        Assert.Equal(UsbError.Access, device.TryOpen(out _));
        Assert.True(lines > 0);
        Context.SetLogHandler(null);
        UsbLibrary.SetLogHandler(handler);
        Assert.Equal(UsbError.Access, device.TryOpen(out _));
    }

    // Each of these calls may need a lock that libusb holds while it logs a line.
    [BusFact]
    public void The_library_refuses_calls_from_a_log_handler()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        UsbInterface claim = handle.ClaimInterface(0);
        UsbEndpoint output = claim.GetEndpoint(BulkLoopback.OutAddress);
        using var other = new UsbContext();
        UsbEventThread events = other.StartEventThread();
        UsbPoller poller = new(other, new UsbSystemPoller());
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        UsbDevice device = handle.Device.AddReference();
        Action[] calls =
        [
            () => Context.GetDevices(),
            () => Context.HandleEvents(TimeSpan.Zero),
            () => Context.InterruptEventHandlers(),
            () => Context.SetLogLevel(UsbLogLevel.None),
            () => Context.RegisterHotplug(_ => { }),
            () => _ = new UsbContext(),
            () => device.Open(),
            () => device.GetActiveConfigurationDescriptor(),
            () => handle.TryClaimInterface(0, out _),
            () => handle.At(BulkLoopback.OutAddress).TryWrite([1], out _),
            () => transfer.Submit(),
            () => transfer.TryCancel(),
            transfer.Dispose,
            claim.Dispose,
            events.Dispose,
            poller.Dispose,
            device.Dispose,
            handle.Dispose,
            Context.Dispose,
            () => handle.DisposeAsync().AsTask(),
            () => Context.DisposeAsync().AsTask(),
            () => transfer.SubmitAsync().AsTask(),
            () => claim.SetAlternateSettingAsync(0).AsTask(),
            () => output.ClearHaltAsync().AsTask(),
        ];
        var answers = new List<Exception?>();
        int nested = 0;
        Context.SetLogHandler((_, _) =>
        {
            Context.SetLogHandler((_, _) => nested++); // is allowed, and makes the calls below run once only
            answers.AddRange(calls.Select(Record.Exception));
        });
        Context.SetLogLevel(UsbLogLevel.Debug);
        Context.GetDevices().Dispose();
        Context.SetLogHandler(null);
        Context.SetLogLevel(UsbLogLevel.None);
        Assert.Equal(calls.Length, answers.Count);
        Assert.All(answers, answer => Assert.IsType<InvalidOperationException>(answer));
        Assert.True(nested > 0);
        Assert.True(events.IsRunning);

        // The refused calls have changed nothing, so these calls succeed.
        transfer.Submit();
        handle.At(BulkLoopback.OutAddress).Write([5], Patience);
        Finish(transfer);
        Assert.Equal(5, transfer.Data[0]);
        transfer.Dispose();
        device.Dispose();
        handle.Dispose();
    }

    // The raw layer does not refuse calls in a handler, but the handler does not receive the lines that such calls log. In this test, the handler can call
    // libusb_get_device_list without a deadlock, because libusb_get_device_list logs its first line before it takes a lock.
    [BusFact]
    public unsafe void A_handler_does_not_receive_the_lines_of_its_own_calls()
    {
        libusb_context* native = Context.DangerousGetContext();
        Assert.Equal(LinesOfOneList(() => { }), LinesOfOneList(() =>
        {
            libusb_device** list;
            Assert.True(libusb.libusb_get_device_list(native, &list) >= 0);
            libusb.libusb_free_device_list(list, 1);
        }));

        int LinesOfOneList(Action onFirstLine)
        {
            int lines = 0, own = Environment.CurrentManagedThreadId;
            Context.SetLogHandler((_, _) =>
            {
                if (Environment.CurrentManagedThreadId != own)
                    return; // libusb's hotplug thread logs a line when it starts, at any time
                if (lines++ == 0)
                    onFirstLine();
            });
            Context.SetLogLevel(UsbLogLevel.Debug);
            lines = 0;
            Context.GetDevices().Dispose();
            Context.SetLogHandler(null);
            Context.SetLogLevel(UsbLogLevel.None);
            Assert.True(lines > 0);
            return lines;
        }
    }

    [BusFact]
    public void A_handler_is_replaced_and_removed_while_other_threads_log()
    {
        Context.SetLogLevel(UsbLogLevel.Debug);
        bool stop = false;
        int lines = 0;
        var talkers = new List<Thread>();
        for (int i = 0; i < 3; i++)
        {
            var thread = new Thread(() =>
            {
                while (!Volatile.Read(ref stop))
                    Context.GetDevices().Dispose();
            });
            thread.Start();
            talkers.Add(thread);
        }

        for (int round = 0; round < 300; round++)
        {
            var called = new ManualResetEventSlim(); // not disposed, because a call of the handler may still be running
            Context.SetLogHandler((_, message) =>
            {
                Interlocked.Add(ref lines, message.Length > 0 ? 1 : 0);
                called.Set();
            });
            Assert.True(called.Wait(Patience));
            Context.SetLogHandler(null);
        }

        Volatile.Write(ref stop, true);
        talkers.ForEach(thread => thread.Join());
        int before = lines;
        Assert.True(before >= 300);
        Context.GetDevices().Dispose();
        Assert.Equal(before, lines);
    }

    [BusFact]
    public void Each_context_has_its_own_handler_and_the_handler_of_the_process_receives_all_lines()
    {
        var all = new ConcurrentBag<string>();
        UsbLibrary.SetLogHandler((_, message) => all.Add(Encoding.UTF8.GetString(message)));
        int first = 0, second = 0;
        using (var one = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug }))
        using (var other = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug }))
        {
            one.SetLogHandler((_, _) => first++);
            other.SetLogHandler((_, _) => second++);
            one.GetDevices().Dispose();
            Assert.True(first > 0);
            Assert.Equal(0, second);
            Assert.True(all.Count >= first);
        }

        // A later context at the same address must not use the handler of the earlier context.
        int before = first + second;
        for (int i = 0; i < 20; i++)
        {
            using var later = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            later.SetLogHandler((_, _) => { });
            later.SetLogHandler(null);
            later.GetDevices().Dispose();
        }

        Assert.Equal(before, first + second);
    }

    [BusTheory]
    [InlineData("set", true)]
    [InlineData("set", false)]
    [InlineData("given with the options", true)]
    [InlineData("given with the options", false)]
    public void A_handler_is_collected_with_its_context(string how, bool disposed)
    {
        WeakReference target = Forget();
        CollectUntil(() => !target.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Forget()
        {
            var lines = new StrongBox<int>();
            UsbLogHandler handler = (_, _) => Interlocked.Increment(ref lines.Value);
            bool isOption = how != "set";
            var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug, LogHandler = isOption ? handler : null });
            if (!isOption)
                context.SetLogHandler(handler);
            context.GetDevices().Dispose();
            Assert.True(lines.Value > 0);
            if (disposed)
                context.Dispose();
            return new WeakReference(lines);
        }
    }

    [BusFact]
    public void A_handler_in_the_options_receives_the_lines_of_initialization_where_libusb_supports_that()
    {
        var lines = new ConcurrentQueue<(UsbLogLevel Level, string Text)>();
        using var context = new UsbContext(new UsbContextOptions
        {
            LogLevel = UsbLogLevel.Debug,
            LogHandler = (level, message) => lines.Enqueue((level, Encoding.UTF8.GetString(message))),
        });
        Assert.Equal(UsbLibrary.HasFunction(nameof(libusb.libusb_init_context)), !lines.IsEmpty);
        lines.Clear();
        context.GetDevices().Dispose();
        Assert.False(lines.IsEmpty);
        Assert.All(lines.ToArray(), line => Assert.True(line.Level is UsbLogLevel.Debug or UsbLogLevel.Information));
        context.SetLogHandler(null);
        lines.Clear();
        context.GetDevices().Dispose();
        Assert.True(lines.IsEmpty);
    }

    // While the test disposes the context, libusb's hotplug thread still runs the log handler, and uses the context there. This thread is usually the last user
    // of the context. The hotplug thread must not call libusb_exit, because libusb_exit joins the hotplug thread and would deadlock.
    [BusFact]
    public void A_context_whose_last_use_ends_in_a_handler_is_exited_on_another_thread()
    {
        int mine = Environment.CurrentManagedThreadId;
        for (int round = 0; round < 20; round++)
        {
            using var inside = new ManualResetEventSlim();
            using var left = new ManualResetEventSlim();
            var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            UsbLogHandler handler = null!;
            handler = (_, _) =>
            {
                if (Environment.CurrentManagedThreadId == mine || inside.IsSet)
                    return;
                inside.Set();
                try
                {
                    while (true)
                        context.SetLogHandler(handler);
                }
                catch (ObjectDisposedException)
                {
                    left.Set();
                }
            };
            context.SetLogHandler(handler);
            var loopback = new BulkLoopback();
            Bus.Attach(loopback);
            Assert.True(inside.Wait(Patience));
            context.Dispose();
            Assert.True(left.Wait(Patience));
            Bus.Detach(loopback);
        }
    }

    [BusFact]
    public void A_handler_may_read_about_the_library()
    {
        var read = new ConcurrentQueue<string>();
        Context.SetLogHandler((_, _) => read.Enqueue($"{UsbLibrary.Version} {UsbLibrary.LoadedPath} {UsbLibrary.IsLoaded} {UsbLibrary.HasFunction("libusb_init")} {UsbLibrary.GetErrorMessage(UsbError.IO)}"));
        Context.SetLogLevel(UsbLogLevel.Debug);
        Context.GetDevices().Dispose();
        Context.SetLogLevel(UsbLogLevel.None);
        Assert.NotEmpty(read);
        Assert.All(read, text => Assert.StartsWith("1.0.", text, StringComparison.Ordinal));
    }
}
