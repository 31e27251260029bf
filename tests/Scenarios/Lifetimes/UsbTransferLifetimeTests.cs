using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests programs that doom, dispose or forget a transfer, or that close the handle of a transfer. In these situations, other bindings hang, crash or leak
/// memory.
/// </summary>
public sealed class UsbTransferLifetimeTests : BusTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public UsbTransferLifetimeTests() => _handle = Open(_loopback);

    [BusFact]
    public void A_doomed_transfer_runs_to_its_end_and_is_disposed()
    {
        int callbacks = 0;
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, t =>
        {
            callbacks++;
            Assert.Equal(3, t.ActualLength);
            Assert.Throws<UsbTransferDoomedException>(t.Submit);
        });
        transfer.Submit();
        transfer.Doom();
        Assert.True(transfer.IsDoomed);
        _handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        Finish(transfer);
        Assert.Equal(1, callbacks);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
    }

    [BusFact]
    public void A_doomed_transfer_is_disposed_also_when_its_callback_throws()
    {
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => throw new InvalidDataException("from the callback"));
        transfer.Submit();
        transfer.Doom();
        Assert.Throws<InvalidDataException>(() => HandleEventsUntil(() => !transfer.IsSubmitted && Throws<ObjectDisposedException>(() => _ = transfer.Status)));
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
    }

    [BusFact]
    public void A_transfer_doomed_at_rest_is_neither_configured_nor_submitted()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1);
        transfer.Doom();
        Assert.Throws<UsbTransferDoomedException>(transfer.Submit);
        Assert.Throws<UsbTransferDoomedException>(() => transfer.SetBulk(BulkLoopback.OutAddress, 1));
        Assert.Equal(1, transfer.Buffer.Length); // the results can still be read
    }

    [BusFact]
    public void A_transfer_disposed_in_flight_is_cancelled_and_called_back_once()
    {
        var statuses = new List<UsbTransferStatus>();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, t => statuses.Add(t.Status));
        transfer.Submit();
        transfer.Dispose();
        transfer.Dispose();
        HandleEventsUntil(() => statuses.Count > 0);
        Assert.Equal([UsbTransferStatus.Canceled], statuses);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
    }

    [BusFact]
    public void A_transfer_disposed_in_its_own_callback_is_freed_after_that_callback()
    {
        bool readable = false;
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, t =>
        {
            t.Dispose();
            readable = t.ActualLength == 1;
        });
        transfer.Submit();
        Finish(transfer);
        Assert.True(readable);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
    }

    [BusFact]
    public void A_forgotten_transfer_in_flight_is_called_back_and_then_collected()
    {
        var received = new List<int>();
        WeakReference forgotten = Forget(received);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(forgotten.IsAlive);
        _handle.At(BulkLoopback.OutAddress).Write([1, 2, 3, 4], Patience);
        HandleEventsUntil(() => received.Count > 0);
        Assert.Equal([4], received);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(forgotten.IsAlive);
    }

    [BusFact]
    public void Objects_that_were_never_disposed_are_closed_by_the_collector()
    {
        _handle.Dispose();
        for (int round = 0; round < 10; round++)
        {
            Leak(); // claims the interface, which is busy in the next round if the handle is not closed
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }

        Open(_loopback).Dispose();
    }

    [BusFact]
    public void Closing_stops_transfers_that_resubmit_themselves()
    {
        int callbacks = 0, refused = 0;
        for (int i = 0; i < 8; i++)
        {
            UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512, t =>
            {
                callbacks++;
                t.Submit();
                if (!t.IsSubmitted && t.TrySubmit() == UsbError.Closed)
                    refused++;
            });
            transfer.Submit();
        }

        _handle.Dispose();
        Assert.Equal(8, callbacks);
        Assert.Equal(8, refused);
        Assert.Throws<ObjectDisposedException>(() => _handle.CreateTransfer());
        Assert.Throws<ObjectDisposedException>(() => _handle.ClaimInterface(0));
        _handle.Dispose();
    }

    [BusFact]
    public void Closing_waits_for_the_event_thread_to_run_the_callbacks()
    {
        using UsbEventThread events = Context.StartEventThread();
        int callbacks = 0;
        int wrongThread = 0;
        for (int i = 0; i < 8; i++)
        {
            UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512, _ =>
            {
                Interlocked.Increment(ref callbacks);
                if (Thread.CurrentThread.Name != "libusb events")
                    Interlocked.Increment(ref wrongThread);
            });
            transfer.Submit();
        }

        _handle.Dispose();
        Assert.Equal(8, callbacks);
        Assert.Equal(0, wrongThread);
    }

    [BusFact]
    public void A_handle_disposed_in_a_callback_closes_after_that_callback()
    {
        var statuses = new List<UsbTransferStatus>();
        UsbTransfer other = _handle.CreateTransfer();
        other.SetBulk(BulkLoopback.InAddress, 512, t => statuses.Add(t.Status));
        other.Submit();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18, t =>
        {
            t.Handle.Dispose();
            statuses.Add(t.Status); // can still be read, because the transfer's own callback runs
        });
        transfer.Submit();
        HandleEventsUntil(() => statuses.Count == 2);
        Assert.Equal([UsbTransferStatus.Completed, UsbTransferStatus.Canceled], statuses);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
        Assert.Throws<ObjectDisposedException>(() => other.Status);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Disposing_the_context_closes_everything(bool withEventThread)
    {
        if (withEventThread)
            Context.StartEventThread();
        UsbTransferStatus? status = null;
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, t => status = t.Status);
        transfer.Submit();
        Context.Dispose();
        Assert.Equal(UsbTransferStatus.Canceled, status);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
        Assert.Throws<ObjectDisposedException>(() => _handle.GetConfiguration());
        Assert.Throws<ObjectDisposedException>(() => Context.GetDevices());
        Assert.Throws<ObjectDisposedException>(() => Context.HandleEvents(TimeSpan.Zero));
        Context.Dispose();
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_context_may_be_disposed_in_a_callback(bool withEventThread)
    {
        UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        using var disposed = new ManualResetEventSlim();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            Context.Dispose();
            disposed.Set();
        });
        transfer.Submit();
        if (events is null)
            HandleEventsUntil(() => disposed.IsSet);
        else
            Assert.True(disposed.Wait(Patience));
        events?.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Context.GetDevices());
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_context_disposed_while_another_thread_closes_a_handle_waits_for_that(bool withEventThread)
    {
        const int count = 60; // more completions than libusb takes at a time, so that closing handles events more than once
        _handle.Dispose();
        var context = new UsbContext();
        if (withEventThread)
            context.StartEventThread();
        using UsbDevice device = context.FindDevice(_loopback.Description.VendorId, _loopback.Description.ProductId)!;
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        int callbacks = 0;
        using var closing = new ManualResetEventSlim();
        using var disposed = new ManualResetEventSlim();
        for (int i = 0; i < count; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512, _ =>
            {
                if (Interlocked.Increment(ref callbacks) != 1)
                    return;
                closing.Set();
                // The context's Dispose must wait until this callback has returned, and the test sets the event only after Dispose has returned. The wait below
                // must therefore time out. If Dispose did not wait for the callback, Dispose would return before the timeout.
                disposed.Wait(TimeSpan.FromMilliseconds(300));
            });
            transfer.Submit();
        }

        Exception? failure = null;
        var closer = new Thread(() =>
        {
            try
            {
                handle.Dispose();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        closer.Start();
        Assert.True(closing.Wait(Patience));
        context.Dispose();
        Assert.Equal(count, Volatile.Read(ref callbacks)); // all callbacks have run before Dispose returns
        disposed.Set();
        closer.Join();
        Assert.Null(failure);
        Open(_loopback).Dispose(); // the interface is free
    }

    [BusFact]
    public void The_context_and_then_its_handle_may_be_disposed_in_a_callback()
    {
        int callbacks = 0;
        UsbTransfer other = _handle.CreateTransfer();
        other.SetBulk(BulkLoopback.InAddress, 512, _ => callbacks++);
        other.Submit();
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18, _ =>
        {
            Context.Dispose();
            _handle.Dispose();
            callbacks++;
        });
        transfer.Submit();
        HandleEventsUntil(() => callbacks == 2);
        Assert.True(other.IsDisposed);
        Assert.True(transfer.IsDisposed);
    }

    [BusFact]
    public void Calls_that_would_deadlock_in_a_callback_are_refused()
    {
        var refused = new List<string>();
        using UsbDevice device = Context.FindDevice(_loopback.Description.VendorId, _loopback.Description.ProductId)!;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            Refused("open", () => device.Open());
            Refused("events", () => Context.HandleEvents(TimeSpan.Zero));
            Refused("read", () => _handle.At(BulkLoopback.InAddress).Read(new byte[512]));
            Refused("write", () => _handle.At(BulkLoopback.OutAddress).Write([]));
            Refused("string", () => _handle.GetString(1));
            Refused("control", () => _handle.ControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), new byte[18]));
        });
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(["open", "events", "read", "write", "string", "control"], refused);

        void Refused(string what, Action action)
        {
            if (Throws<InvalidOperationException>(action))
                refused.Add(what);
        }
    }

    [BusFact]
    public void An_exception_from_a_callback_reaches_the_subscriber_and_the_transfer_still_works()
    {
        var reports = new List<UsbUnhandledCallbackExceptionEventArgs>();
        Context.UnhandledCallbackException += (_, e) => reports.Add(e);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => throw new InvalidDataException("from the callback"));
        transfer.Submit();
        Finish(transfer);
        UsbUnhandledCallbackExceptionEventArgs report = Assert.Single(reports);
        Assert.IsType<InvalidDataException>(report.Exception);
        Assert.Same(transfer, report.Source);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(2, reports.Count);
    }

    [BusFact]
    public void The_pump_throws_an_exception_that_has_no_subscriber()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => throw new InvalidDataException("from the callback"));
        transfer.Submit();
        Assert.Throws<InvalidDataException>(() => Finish(transfer));
        Assert.False(transfer.IsSubmitted);
    }

    [BusFact]
    public void Another_thread_may_submit_while_the_callback_still_runs()
    {
        using var inCallback = new ManualResetEventSlim();
        using var submitted = new ManualResetEventSlim();
        int callbacks = 0;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            if (Interlocked.Increment(ref callbacks) != 1)
                return;
            inCallback.Set();
            Assert.True(submitted.Wait(Patience));
        });
        transfer.Submit();
        var submitter = new Thread(() =>
        {
            if (inCallback.Wait(Patience))
                transfer.Submit();
            submitted.Set();
        });
        submitter.Start();
        HandleEventsUntil(() => Volatile.Read(ref callbacks) == 2);
        submitter.Join();
        Assert.False(transfer.IsSubmitted);
        Assert.Equal(2, _loopback.Waiting);
    }

    [BusFact]
    public void A_submission_from_another_thread_races_with_the_end_of_the_callback()
    {
        using UsbEventThread events = Context.StartEventThread();
        int rounds = Rounds.Of(4_000);
        int callbacks = 0;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ => Volatile.Write(ref callbacks, callbacks + 1)); // the last action of the callback
        var random = new Random(7);
        for (int round = 1; round <= rounds; round++)
        {
            transfer.Submit();
            var wait = default(SpinWait); // yields the processor to the event thread
            while (Volatile.Read(ref callbacks) != round)
                wait.SpinOnce(sleep1Threshold: -1);
            Thread.SpinWait(random.Next(12)); // in this time the callback returns, and the library sets the transfer to rest
        }

        Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
        Assert.Equal(rounds, callbacks);
    }

    [BusFact]
    public void Disposing_on_another_thread_races_with_the_submission()
    {
        int rounds = Rounds.Of(4_000);
        using UsbEventThread events = Context.StartEventThread();
        UsbTransfer transfer = null!;
        int round = 0, disposed = 0;
        var disposer = new Thread(() =>
        {
            var random = new Random(9);
            for (int mine = 1; mine <= rounds; mine++)
            {
                int delay = random.Next(10);
                var wait = default(SpinWait);
                while (Volatile.Read(ref round) != mine)
                    wait.SpinOnce(sleep1Threshold: -1);
                Thread.SpinWait(delay);
                transfer.Dispose();
                Volatile.Write(ref disposed, mine);
            }
        });
        disposer.Start();
        for (int mine = 1; mine <= rounds; mine++)
        {
            transfer = _handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512); // nothing arrives, so only a cancellation ends the transfer
            Volatile.Write(ref round, mine);
            try
            {
                transfer.TrySubmit();
            }
            catch (ObjectDisposedException)
            {
                // The other thread disposed the transfer first.
            }

            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref disposed) == mine && transfer.IsDisposed, Patience), $"Round {mine}: the transfer is in flight.");
        }

        disposer.Join();
    }

    [BusFact]
    public void Unplugging_gives_every_transfer_back()
    {
        var statuses = new List<UsbTransferStatus>();
        for (int i = 0; i < 4; i++)
        {
            UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.InAddress, 512, t => statuses.Add(t.Status));
            transfer.Submit();
        }

        Bus.Detach(_loopback);
        HandleEventsUntil(() => statuses.Count == 4);
        Assert.All(statuses, status => Assert.Equal(UsbTransferStatus.NoDevice, status));
        _handle.Dispose();
    }

    [BusFact]
    public void Dispose_races_with_submission_and_completion()
    {
        using UsbEventThread events = Context.StartEventThread();
        for (int round = 0; round < Rounds.Of(300); round++)
        {
            int submitted = 0, completed = 0;
            UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(BulkLoopback.OutAddress, 0, t =>
            {
                Interlocked.Increment(ref completed);
                if (t.TrySubmit() == UsbError.Success) // fails when the transfer is disposed
                    Interlocked.Increment(ref submitted);
            });
            transfer.Submit();
            Interlocked.Increment(ref submitted);
            var disposer = new Thread(transfer.Dispose);
            disposer.Start();
            disposer.Join();
            Assert.True(SpinWait.SpinUntil(() => Throws<ObjectDisposedException>(() => _ = transfer.Endpoint), Patience), $"Round {round}: the transfer is not freed.");
            Assert.Equal(submitted, completed);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Forget(List<int> received)
    {
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, t => received.Add(t.ActualLength));
        transfer.Submit();
        return new WeakReference(transfer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Leak()
    {
        var context = new UsbContext();
        UsbDevice device = context.FindDevice(_loopback.Description.VendorId, _loopback.Description.ProductId)!;
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, static _ => { });
        device.GetActiveConfigurationDescriptor();
    }

    private static bool Throws<TException>(Action action)
        where TException : Exception
    {
        try
        {
            action();
            return false;
        }
        catch (TException)
        {
            return true;
        }
    }
}
