namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Tests which thread closes an object, which threads wait until the object is closed, and which calls are refused until then.</summary>
public sealed class ClosingThreadTests : ClosingTest
{
    private readonly CountedMemory _memory = new(LifetimeDevice.PacketLength);

    // The closing thread calls the Unpin method of the caller's memory outside of callbacks.
    [BusTheory]
    [AllCombinations]
    public void Memory_that_is_unpinned_may_dispose_what_unpins_it(Closed what)
    {
        UsbTransfer transfer = Make();
        transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        int unpinned = 0;
        _memory.Unpinning = () =>
        {
            unpinned++;
            Close(what); // does not wait for its own thread
        };
        Close(what);
        Assert.Equal(1, unpinned);
        Assert.True(transfer.IsDisposed);
        AssertFree();
    }

    [BusTheory]
    [AllCombinations]
    public void Dispose_in_a_callback_is_finished_after_it_and_needs_no_other_call(Closed what, bool withEventThread)
    {
        UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        using var ran = new ManualResetEventSlim();
        UsbTransfer transfer = Make();
        transfer.Callback = _ =>
        {
            Close(what);
            ran.Set();
        };
        transfer.Submit();
        transfer.Cancel();
        if (!withEventThread)
            HandleEventsUntil(() => ran.IsSet);
        Assert.True(ran.Wait(Patience));
        AssertFree();
        if (what == Closed.Context)
        {
            Assert.True(SpinWait.SpinUntil(IsExited, Patience), "The context is not closed.");
            Assert.False(events?.IsRunning ?? false);
        }

        bool IsExited() => Record.Exception(() => Context.HandleEvents(TimeSpan.Zero)) is ObjectDisposedException;
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_context_that_a_callback_disposes_is_closed_after_the_handle_that_its_thread_closes(bool closesAnotherContext)
    {
        using var otherContext = new UsbContext();
        using UsbDevice sameDevice = otherContext.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
        using UsbDeviceHandle otherHandle = sameDevice.Open();
        using var configuring = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        using var ran = new ManualResetEventSlim();
        UsbTransfer first = Make(), second = Make();
        Thread configurer = ConfigureSlowly(second, configuring, mayEnd); // the closing thread waits for the configuration and handles events during the wait
        first.Callback = _ =>
        {
            Context.Dispose();
            if (closesAnotherContext)
                otherHandle.Dispose(); // closes immediately, because the callback belongs to another context
            ran.Set();
        };
        first.Submit();
        Exception? failure = null;
        var closer = new Thread(() => failure = Record.Exception(Handle.Dispose));
        closer.Start();
        try
        {
            Assert.True(ran.Wait(Patience));
            Assert.False(closer.Join(TimeSpan.FromMilliseconds(100))); // shows the wait; a slow machine can only hide an error
        }
        finally
        {
            mayEnd.Set();
        }

        Assert.True(closer.Join(Patience));
        Assert.True(configurer.Join(Patience));
        Assert.Null(failure);
        Assert.True(second.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => Context.HandleEvents(TimeSpan.Zero));
    }

    // While the handle closes, it waits for ofHandle, a transfer that does not belong to the interface. The test waits only until the interface is closed, and
    // must not wait for ofHandle.
    [BusFact]
    public void An_interface_is_closed_before_the_handle_that_a_callback_disposes()
    {
        using var configuring = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        using var ran = new ManualResetEventSlim();
        UsbTransfer ofInterface = Make(), ofHandle = Handle.CreateTransfer();
        Thread configurer = ConfigureSlowly(ofHandle, configuring, mayEnd);
        ofInterface.Callback = _ =>
        {
            Handle.Dispose();
            ran.Set();
        };
        ofInterface.Submit();
        var closer = new Thread(Interface.Dispose);
        closer.Start();
        try
        {
            Assert.True(ran.Wait(Patience));
            Assert.True(Interface.DisposeAsync().AsTask().Wait(Patience));
            Assert.False(ofHandle.IsDisposed);
        }
        finally
        {
            mayEnd.Set();
        }

        Assert.True(closer.Join(Patience));
        Assert.True(configurer.Join(Patience));
        Assert.True(ofHandle.IsDisposed);
    }

    [BusFact]
    public void The_event_thread_does_not_wait_for_a_thread_that_needs_its_events()
    {
        Context.StartEventThread();
        using var configuring = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        using var ran = new ManualResetEventSlim();
        UsbTransfer first = Make(), slow = Make(), request = Handle.CreateTransfer();
        request.SetControl(LifetimeDevice.Request, 8, _ => mayEnd.Set());
        request.Submit();
        Device.WaitForKept(1, Patience);
        Thread configurer = ConfigureSlowly(slow, configuring, mayEnd);
        Thread? other = null;
        first.Callback = _ =>
        {
            Interface.Dispose(); // the closing ends after this callback, on the other thread
            other = new Thread(Interface.Dispose);
            other.Start();
            SpinWait.SpinUntil(() => (other.ThreadState & ThreadState.WaitSleepJoin) != 0, Patience); // the other thread waits for the slow transfer
            ran.Set();
        };
        first.Submit();
        first.Cancel();
        try
        {
            Assert.True(ran.Wait(Patience));
            Assert.False(other!.Join(TimeSpan.FromMilliseconds(100)));
            Device.CompleteOldest(0); // the callback of the request runs only if the event thread still handles events
            Assert.True(other.Join(Patience));
        }
        finally
        {
            mayEnd.Set();
        }

        Assert.True(configurer.Join(Patience));
    }

    [BusTheory]
    [AllCombinations]
    public void Other_threads_begin_nothing_while_an_object_closes(Closed what)
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        var accepted = new List<string>();
        UsbError? claim = null;
        UsbTransfer transfer = Make();
        transfer.Callback = _ =>
        {
            var other = new Thread(() =>
            {
                Refused("GetEndpoint", () => Interface.GetEndpoint(LifetimeDevice.BulkAddress));
                Refused("Read", () => endpoint.Read(new byte[1]));
                Refused("ReadAsync", () => endpoint.ReadAsync(new byte[1]).AsTask());
                Refused("CreateTransfer of the endpoint", () => endpoint.CreateTransfer());
                Refused("SetAlternateSetting", () => Interface.SetAlternateSetting(0));
                Refused("SetAlternateSettingAsync", () => Interface.SetAlternateSettingAsync(0).AsTask());
                Refused("ClearHaltAsync", () => endpoint.ClearHaltAsync().AsTask());
                Refused("ControlRead of the interface", () => Interface.ControlRead(UsbRequestKind.Vendor, 1, 0, new byte[1]));
                if (what == Closed.Interface)
                {
                    claim = Handle.TryClaimInterface(0, out UsbInterface? _);
                    return;
                }

                Refused("ClaimInterface", () => Handle.ClaimInterface(0));
                Refused("CreateTransfer of the handle", () => Handle.CreateTransfer());
                Refused("ClearHalt", endpoint.ClearHalt);
                Refused("Reset", Handle.Reset);
                if (what == Closed.Handle)
                    return;
                Refused("StartEventThread", () => Context.StartEventThread());
                Refused("RegisterHotplug", () => Context.RegisterHotplug(static told => told.Device.Dispose()));
                Refused("WatchDevicesAsync", () => Context.WatchDevicesAsync());
            });
            other.Start();
            other.Join();
        };
        transfer.Submit();
        Close(what);
        Assert.Empty(accepted);
        Assert.Equal(what == Closed.Interface ? UsbError.Busy : null, claim); // the interface is being released

        void Refused(string name, Action use)
        {
            if (Record.Exception(use) is not ObjectDisposedException)
                accepted.Add(name);
        }
    }

    [BusTheory]
    [AllCombinations]
    public void A_DisposeAsync_during_Dispose_completes_when_that_has_ended(Closed what, bool withEventThread)
    {
        bool tooEarly = true;
        WhileACallbackHoldsUpClosing(what, withEventThread, hasEnded =>
        {
            Task closing = CloseAsync(what).AsTask().ContinueWith(
                _ => tooEarly = !hasEnded(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Assert.False(closing.IsCompleted);
            return () => Assert.True(closing.Wait(Patience));
        });
        Assert.False(tooEarly);
    }

    // One thread disposes the claim while another thread creates transfers for the claim's endpoint. The interface stays claimed, because the base class of the
    // test has claimed it too.
    [BusFact]
    public void No_transfer_of_an_endpoint_outlives_its_claim()
    {
        for (int round = 0; round < Rounds.Of(200); round++)
        {
            UsbInterface claim = Handle.ClaimInterface(0);
            UsbEndpoint endpoint = claim.GetEndpoint(LifetimeDevice.BulkAddress);
            var made = new List<UsbTransfer>();
            using var started = new ManualResetEventSlim();
            var maker = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        made.Add(endpoint.CreateTransfer());
                        started.Set();
                    }
                }
                catch (ObjectDisposedException)
                {
                    // The claim has been disposed.
                }
            });
            maker.Start();
            Assert.True(started.Wait(Patience));
            claim.Dispose();
            Assert.True(maker.Join(Patience));
            Assert.All(made, static transfer => Assert.True(transfer.IsDisposed));
        }
    }

    private UsbTransfer Make()
    {
        UsbTransfer transfer = Interface.GetEndpoint(LifetimeDevice.BulkAddress).CreateTransfer();
        transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength);
        return transfer;
    }

    /// <summary>
    /// Starts a thread that begins to configure a transfer. The thread ends the configuration only when <paramref name="mayEnd"/> is set. Until then, any
    /// thread that closes the transfer's owner must wait.
    /// </summary>
    private static Thread ConfigureSlowly(UsbTransfer transfer, ManualResetEventSlim configuring, ManualResetEventSlim mayEnd)
    {
        var configurer = new Thread(() =>
        {
            using var configuration = new HeldConfiguration(transfer);
            configuring.Set();
            mayEnd.Wait();
        });
        configurer.Start();
        Assert.True(configuring.Wait(Patience));
        return configurer;
    }
}
