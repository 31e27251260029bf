using System.Collections.Concurrent;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests the calls that callbacks and other threads make while an interface, a handle or a context is closing. No thread may wait for itself.
/// </summary>
public sealed class ClosingRuleTests : ClosingTest
{
    private readonly ConcurrentQueue<Exception> _failures = new();

    public ClosingRuleTests()
    {
        Context.UnhandledCallbackException += (_, e) => _failures.Enqueue(e.Exception);
    }

    // As in the first program of the README, `using` declarations dispose the interface first, then the handle, and then the context.
    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_callback_that_always_submits_again_survives_using_declarations(bool checksStatus)
    {
        int callbacks = 0;
        using (UsbContext context = new())
        {
            context.UnhandledCallbackException += (_, e) => _failures.Enqueue(e.Exception);
            using UsbEventThread events = context.StartEventThread();
            Handle.Dispose();
            using UsbDevice device = context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
            using UsbDeviceHandle handle = device.Open();
            using UsbInterface claimed = handle.ClaimInterface(0);
            for (int i = 0; i < 4; i++)
            {
                UsbTransfer transfer = handle.CreateTransfer();
                transfer.SetBulk(LifetimeDevice.ErrandAddress, 512, self =>
                {
                    Interlocked.Increment(ref callbacks);
                    if (!checksStatus || self.Status == UsbTransferStatus.Completed)
                        self.Submit();
                });
                transfer.Submit();
            }

            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref callbacks) > 20, Patience));
        }

        Assert.Empty(_failures);
    }

    [BusTheory]
    [AllCombinations]
    public void A_callback_submits_nothing_while_its_owner_closes_and_other_threads_are_refused(Closed what, bool ofHandle)
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        UsbTransfer own = Make(endpoint, ofHandle), other = Make(endpoint, ofHandle), awaited = Make(endpoint, ofHandle);
        UsbError? tried = null, triedOther = null;
        bool submitted = true;
        Exception? elsewhere = null, elsewhereTried = null;
        Task<int>? submit = null, read = null;
        own.Callback = self =>
        {
            self.Submit();
            self.SetBuffer(self.Buffer.Length);
            self.Submit();
            self.SetBulk(LifetimeDevice.BulkAddress, 512);
            self.Submit();
            tried = self.TrySubmit();
            other.Submit();
            triedOther = other.TrySubmit();
            submitted = self.IsSubmitted || other.IsSubmitted;
            submit = awaited.SubmitAsync().AsTask();
            read = endpoint.ReadAsync(new byte[512]).AsTask();
            var thread = new Thread(() =>
            {
                elsewhere = Record.Exception(other.Submit);
                elsewhereTried = Record.Exception(() => other.TrySubmit());
            });
            thread.Start();
            thread.Join();
        };
        own.Submit();
        Close(what);
        Assert.Empty(_failures);
        Assert.Equal(UsbError.Closed, tried);
        Assert.Equal(UsbError.Closed, triedOther);
        Assert.False(submitted);
        Assert.IsType<ObjectDisposedException>(elsewhere);
        Assert.IsType<ObjectDisposedException>(elsewhereTried);
        Assert.Throws<UsbTransferCanceledException>(() => submit!.GetAwaiter().GetResult());
        Assert.Throws<UsbTransferCanceledException>(() => read!.GetAwaiter().GetResult());
        Assert.Equal(what != Closed.Interface || !ofHandle, own.IsDisposed);
        Assert.Equal(0, Device.Kept);
        Assert.Throws<ObjectDisposedException>(own.Submit);
    }

    [BusFact]
    public void A_transfer_of_the_handle_is_submitted_again_when_its_interface_is_claimed_again()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        UsbTransfer ofHandle = Make(endpoint, ofHandle: true), ofEndpoint = Make(endpoint, ofHandle: false);
        ofHandle.Submit();
        ofEndpoint.Submit();
        Interface.Dispose();
        Assert.Throws<ObjectDisposedException>(ofHandle.Submit);
        Assert.Throws<ObjectDisposedException>(ofEndpoint.Submit);
        ofHandle.SetBulk(LifetimeDevice.BulkAddress, 512); // is allowed, but does not permit the submission
        Assert.Throws<ObjectDisposedException>(ofHandle.Submit);
        ofHandle.SetControl(LifetimeDevice.Request, 1);
        ofHandle.Submit(); // the control endpoint needs no claim
        Assert.True(Device.WaitUntil(() => Device.Kept == 1, Patience));
        Device.CompleteAll();
        Finish(ofHandle);
        ofHandle.SetBulk(LifetimeDevice.BulkAddress, 512);
        using UsbInterface again = Handle.ClaimInterface(0);
        ofHandle.Submit();
        Assert.True(Device.WaitUntil(() => Device.Kept == 1, Patience));
        Assert.True(ofEndpoint.IsDisposed);
        Assert.False(ofHandle.IsDisposed);
        again.Dispose();
        Assert.False(ofHandle.IsSubmitted);
        Assert.Empty(_failures);
    }

    [BusFact]
    public void The_second_of_two_claims_keeps_the_interface_and_the_transfers_of_its_endpoints()
    {
        using UsbInterface second = Handle.ClaimInterface(0);
        UsbTransfer ofFirst = Make(Interface.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: false);
        UsbTransfer ofSecond = Make(second.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: false);
        UsbTransfer ofHandle = Make(second.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: true);
        int callbacks = 0;
        ofFirst.Callback = self =>
        {
            if (++callbacks > 100)
                throw new InvalidOperationException("The transfer is submitted again without end.");
            self.SetBulk(LifetimeDevice.BulkAddress, 512); // a new configuration does not permit the submission
            self.Submit();
        };
        UsbInputRing ring = Interface.GetEndpoint(LifetimeDevice.IsochronousAddress).CreateInputRing();
        foreach (UsbTransfer transfer in (UsbTransfer[])[ofFirst, ofSecond, ofHandle])
            transfer.Submit();
        Interface.Dispose();
        Assert.Equal(1, callbacks);
        Assert.Empty(_failures);
        Assert.True(ofFirst.IsDisposed);
        Assert.True(ofSecond.IsSubmitted && ofHandle.IsSubmitted);
        Assert.Throws<ObjectDisposedException>(() => Interface.GetEndpoint(LifetimeDevice.BulkAddress));
        using (var other = new UsbContext())
        {
            using UsbDevice device = other.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
            using UsbDeviceHandle stranger = device.Open();
            Assert.Equal(UsbError.Busy, stranger.TryClaimInterface(0, out _));
            second.Dispose();
            Assert.False(ofSecond.IsSubmitted || ofHandle.IsSubmitted);
            Assert.Equal(UsbError.Success, stranger.TryClaimInterface(0, out _));
        }

        ring.Dispose();
    }

    [BusFact]
    public async Task A_claim_that_is_not_the_last_stops_its_own_ring_which_has_nothing_in_flight()
    {
        using UsbInterface second = Handle.ClaimInterface(0);
        Context.StartEventThread();
        await using UsbInputRing ring = Interface.GetEndpoint(LifetimeDevice.BulkAddress).CreateInputRing(
            new UsbRingOptions { TransferSize = 512, Transfers = 2, Spares = 0, Overflow = UsbRingOverflow.Wait });
        ring.Start();
        Assert.True(Device.WaitUntil(() => Device.Kept == 2, Patience));
        Device.CompleteAll();
        Assert.True(SpinWait.SpinUntil(() => ring.GetStatistics().Bytes == 1024, Patience)); // both buffers are full, and no thread reads them
        await Interface.DisposeAsync();
        Assert.False(ring.IsRunning);
        Assert.Equal(UsbError.Closed, ring.Failure?.Error);
    }

    [BusTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_callback_may_dispose_the_context_while_its_thread_closes_something(bool closesInterface, bool fromSubscriber)
    {
        UsbTransfer transfer = Make(Interface.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: true);
        bool ran = false;
        transfer.Callback = _ =>
        {
            ran = true;
            if (fromSubscriber)
                throw new FormatException();
            Context.Dispose();
        };
        Context.UnhandledCallbackException += (_, _) => Context.Dispose();
        transfer.Submit();
        if (closesInterface)
            Interface.Dispose();
        else
            Handle.Dispose();
        Assert.True(ran);
        Assert.Equal(fromSubscriber ? 1 : 0, _failures.Count);
        Assert.True(transfer.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => Context.HandleEvents(TimeSpan.Zero)); // the context is fully closed here
    }

    [BusTheory]
    [AllCombinations]
    public void Dispose_in_a_callback_and_DisposeAsync_elsewhere_both_end(Closed what, bool withEventThread)
    {
        if (withEventThread)
            Context.StartEventThread();
        UsbTransfer transfer = Make(Interface.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: true);
        Task? elsewhere = null;
        using var ran = new ManualResetEventSlim();
        transfer.Callback = _ =>
        {
            using var begun = new ManualResetEventSlim();
            Close(what);
            elsewhere = Task.Run(() =>
            {
                ValueTask closing = CloseAsync(what);
                begun.Set();
                return closing.AsTask();
            });
            begun.Wait();
            Close(what);
            ran.Set();
        };
        transfer.Submit();
        if (withEventThread)
            transfer.Cancel();
        else
            CloseAsync(Closed.Handle).AsTask().Wait();
        Assert.True(ran.Wait(Patience));
        Assert.True(elsewhere!.Wait(Patience));
        Close(what);
        Assert.Empty(_failures);
        Assert.False(transfer.IsSubmitted);
    }

    [BusTheory]
    [AllCombinations]
    public void A_second_Dispose_waits_for_the_end_of_the_first(Closed what, bool withEventThread)
    {
        bool tooEarly = false;
        WhileACallbackHoldsUpClosing(what, withEventThread, hasEnded =>
        {
            var closer = new Thread(() =>
            {
                Close(what);
                tooEarly = !hasEnded();
            });
            closer.Start();
            Assert.False(closer.Join(TimeSpan.FromMilliseconds(100))); // shows the wait; a slow machine can only hide an error
            return () => Assert.True(closer.Join(Patience));
        });
        Assert.False(tooEarly);
        Assert.Empty(_failures);
    }

    [BusFact]
    public void The_end_of_the_event_thread_comes_after_its_callback()
    {
        UsbTransfer transfer = Make(Interface.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: true);
        using var inCallback = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        bool hasEnded = false, wasTooEarly = false;
        transfer.Callback = _ =>
        {
            inCallback.Set();
            mayEnd.Wait();
            Volatile.Write(ref hasEnded, true);
        };
        UsbEventThread events = Context.StartEventThread();
        transfer.Submit();
        transfer.Cancel();
        Assert.True(inCallback.Wait(Patience));
        var disposer = new Thread(() =>
        {
            events.Dispose();
            wasTooEarly = !Volatile.Read(ref hasEnded);
        });
        disposer.Start();
        SpinWait.SpinUntil(() => (disposer.ThreadState & (ThreadState.WaitSleepJoin | ThreadState.Stopped)) != 0, Patience); // Dispose waits, or has returned too early
        mayEnd.Set();
        Assert.True(disposer.Join(Patience));
        Assert.False(wasTooEarly);
        Assert.Empty(_failures);
    }

    // The callback starts an event thread and disposes it. The event thread waits in libusb, because the thread that runs the callback is already handling
    // events. libusb 1.0.26 logs a line before this wait, and the callback waits for this line. libusb 1.0.28 and 1.0.30 log no such line. With these versions,
    // the callback may dispose the event thread before the event thread waits.
    [BusFact]
    public void A_callback_on_another_thread_may_dispose_the_event_thread()
    {
        UsbTransfer transfer = Make(Interface.GetEndpoint(LifetimeDevice.BulkAddress), ofHandle: true);
        using var isWaiting = new ManualResetEventSlim();
        using var isDisposed = new ManualResetEventSlim();
        bool hasWaited = false;
        UsbEventThread? events = null;
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            Context.SetLogHandler((_, message) =>
            {
                if (message.IndexOf("another thread is doing event handling"u8) >= 0)
                    isWaiting.Set();
            });
            transfer.Callback = _ =>
            {
                Context.SetLogLevel(UsbLogLevel.Debug);
                events = Context.StartEventThread();
                hasWaited = UsbLibrary.Version.Micro >= 27 || isWaiting.Wait(Patience);
                Context.SetLogLevel(UsbLogLevel.None);
                events.Dispose();
                isDisposed.Set();
            };
            transfer.Submit();
            transfer.Cancel();
            var handler = new Thread(() =>
            {
                while (!isDisposed.IsSet)
                    Context.HandleEvents();
            });
            handler.Start();
            Assert.True(isDisposed.Wait(Patience)); // Patience is shorter than the 60 seconds after which libusb's wait ends by itself
            handler.Join();
        }
        finally
        {
            Context.SetLogHandler(null);
            UsbLibrary.SetLogHandler(null);
        }

        Assert.True(hasWaited);
        events!.Dispose();
        Assert.False(events.IsRunning);
        Assert.Empty(_failures);
    }

    [BusFact]
    public void A_hotplug_callback_may_wait_for_the_end_of_its_own_registration()
    {
        using var registered = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        UsbHotplugRegistration? registration = null;
        registration = Context.RegisterHotplug(notification =>
        {
            notification.Device.Dispose();
            registered.Wait();
            registration!.DisposeAsync().AsTask().Wait();
            ended.Set();
        });
        registered.Set();
        Assert.True(ended.Wait(Patience));
        Assert.True(registration.DisposeAsync().AsTask().Wait(Patience));
        Assert.Empty(_failures);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_end_of_a_hotplug_registration_comes_after_its_callback(bool asksInAnotherCallback)
    {
        using var inCallback = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        bool hasEnded = false;
        UsbHotplugRegistration registration = Context.RegisterHotplug(notification =>
        {
            notification.Device.Dispose();
            inCallback.Set();
            mayEnd.Wait();
            Volatile.Write(ref hasEnded, true);
        });
        Assert.True(inCallback.Wait(Patience));
        Task end = asksInAnotherCallback ? InCallbackOfAnotherRegistration(() => registration.DisposeAsync().AsTask()) : registration.DisposeAsync().AsTask();
        bool wasTooEarly = end.IsCompleted;
        mayEnd.Set();
        Assert.False(wasTooEarly);
        Assert.True(end.Wait(Patience));
        Assert.True(hasEnded);
        Assert.Empty(_failures);
    }

    // Two threads dispose the same claim. The thread that begins to close the claim checks whether the interface has other claims. If the other thread finished
    // closing the claim before this check, no thread would ever release the interface.
    [BusFact]
    public void An_interface_is_free_when_one_of_two_concurrent_Dispose_calls_returns()
    {
        Context.StartEventThread();
        Interface.Dispose();
        for (int round = 0; round < Rounds.Of(2000); round++)
        {
            UsbInterface claimed = Handle.ClaimInterface(0);
            using var start = new Barrier(2);
            var other = new Thread(() =>
            {
                start.SignalAndWait();
                claimed.Dispose();
            });
            other.Start();
            start.SignalAndWait();
            claimed.Dispose();
            UsbError error = Handle.TryClaimInterface(0, out UsbInterface? again);
            other.Join();
            Assert.Equal((round, UsbError.Success), (round, error));
            again!.Dispose();
        }
    }

    private Task InCallbackOfAnotherRegistration(Func<Task> action)
    {
        using var ran = new ManualResetEventSlim();
        Task? result = null;
        UsbHotplugRegistration other = Context.RegisterHotplug(notification =>
        {
            notification.Device.Dispose();
            result ??= action();
            ran.Set();
        });
        Assert.True(ran.Wait(Patience));
        Assert.True(other.DisposeAsync().AsTask().Wait(Patience));
        return result!;
    }

    private UsbTransfer Make(UsbEndpoint endpoint, bool ofHandle)
    {
        UsbTransfer transfer = ofHandle ? Handle.CreateTransfer() : endpoint.CreateTransfer();
        transfer.SetBulk(endpoint.Address, 512);
        return transfer;
    }
}
