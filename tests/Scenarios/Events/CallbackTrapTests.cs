using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests calls that are allowed inside a callback, and calls that would never return there.</summary>
public sealed class CallbackTrapTests : BusTest
{
    private readonly BulkLoopback _loopback = new(new BulkLoopbackOptions { SerialNumber = "1" });
    private readonly UsbDeviceHandle _handle;
    private UsbTransfer? _calling;

    public CallbackTrapTests() => _handle = Open(_loopback);

    [BusFact]
    public void Calls_that_would_wait_without_end_are_refused_in_a_callback()
    {
        using UsbDevice device = Find();
        using var poller = new UsbPoller(Context, new UsbSystemPoller());
        byte[] buffer = new byte[512];
        int flag = 0;
        var actions = new (string Name, Action Act)[]
        {
            ("Open", () => device.Open()),
            ("TryOpen", () => device.TryOpen(out _)),
            ("TryGetString of a device", () => device.TryGetString(UsbDeviceString.Product, out _)),
            ("FindDevice by serial number", () => Context.FindDevice(new UsbDeviceFilter { SerialNumber = "1" })),
            ("WrapSystemDevice", () => Context.WrapSystemDevice(0)),
            ("HandleEvents", () => Context.HandleEvents()),
            ("HandleEvents for a time", () => Context.HandleEvents(TimeSpan.FromHours(1))),
            ("HandleEvents without waiting", () => Context.HandleEvents(TimeSpan.Zero)),
            ("HandleEventsUntil", () => Context.HandleEventsUntil(ref flag)),
            ("Poll", () => poller.Poll([], timeout: null)),
            ("ControlRead", () => _handle.ControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), buffer)),
            ("ControlWrite", () => _handle.ControlWrite(new UsbControlSetup(0x40, 1, 0, 0))),
            ("BulkRead", () => _handle.At(BulkLoopback.InAddress).Read(buffer)),
            ("BulkWrite", () => _handle.At(BulkLoopback.OutAddress).Write(buffer)),
            ("InterruptRead", () => _handle.At(BulkLoopback.InAddress).Read(buffer)),
            ("InterruptWrite", () => _handle.At(BulkLoopback.OutAddress).Write(buffer)),
            ("GetLanguages", () => _handle.GetLanguages()),
            ("GetString", () => _handle.GetString(1)),
            ("GetBosDescriptor", () => _handle.GetBosDescriptor()),
            ("GetConfiguration", () => _handle.GetConfiguration()),
            ("SetConfiguration", () => _handle.SetConfiguration(1)),
            ("SetAlternateSetting", () => _handle.ClaimInterface(0).SetAlternateSetting(0)),
            ("ClearHalt", () => _handle.At(BulkLoopback.InAddress).ClearHalt()),
            ("Reset", () => _handle.Reset()),
        };
        var others = new List<string>();
        InCallback(() =>
        {
            foreach ((string name, Action act) in actions)
            {
                try
                {
                    act();
                    others.Add($"{name} was not refused");
                }
                catch (InvalidOperationException refused) when (refused.Message.Contains("inside a callback", StringComparison.Ordinal))
                {
                }
                catch (Exception exception)
                {
                    others.Add($"{name}: {exception.Message}");
                }
            }
        });
        Assert.Equal([], others);
        Assert.Equal(1, _handle.GetConfiguration()); // works after the callback has returned
    }

    [BusFact]
    public void Calls_that_do_not_wait_work_in_a_callback()
    {
        using var own = new UsbContext();
        UsbDevice device = Find();
        UsbHotplugRegistration? registration = null;
        UsbBuffer? buffer = null;
        UsbTransfer? next = null;
        InCallback(() =>
        {
            using (UsbDeviceList devices = Context.GetDevices())
                Assert.Contains(devices, one => one.Equals(device));
            Assert.Equal(512, device.GetMaxPacketSize(BulkLoopback.InAddress));
            Assert.Equal(1, device.GetActiveConfigurationDescriptor().Value);
            Assert.Null(device.GetParent()?.GetParent());
            using (UsbDevice more = device.AddReference())
                Assert.Equal(device, more);
            device.Dispose();
            registration = Context.RegisterHotplug(told => told.Device.Dispose());
            registration.Dispose();
            Assert.NotEmpty(Context.GetPollFds());
            Context.SetPollFdNotifiers(null, null);
            Context.InterruptEventHandlers();
            Context.SetLogLevel(UsbLogLevel.Error);
            Assert.Equal(UsbError.Success, _handle.TryClaimInterface(0, out UsbInterface? claim));
            claim!.Dispose();
            _handle.ClaimInterface(0);
            Assert.False(_handle.IsKernelDriverActive(0));
            buffer = _handle.AllocateBuffer(512, preferDeviceMemory: true);
            next = _handle.CreateTransfer();
            next.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory);
            next.Submit();
            Assert.True(next.TryCancel());
            using UsbDeviceHandle elsewhere = own.FindDevice(0x1209, 0x0011)!.Open(); // the rules apply only to the context of the callback
            Assert.Equal(1, elsewhere.GetConfiguration());
        });
        Finish(next!);
        Assert.Equal(UsbTransferStatus.Canceled, next!.Status);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handle_is_closed_by_another_thread_once_the_callback_has_returned(bool withEventThread)
    {
        UsbDeviceHandle second = Find().Open();
        UsbTransfer other = second.CreateTransfer();
        other.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18);
        int closed = 0;
        bool released = false;
        var closer = new Thread(() =>
        {
            _handle.Dispose(); // the handle of the transfer whose callback runs
            released = _calling!.IsDisposed;
            Interlocked.Increment(ref closed);
            second.Dispose(); // another handle of the device
            Interlocked.Increment(ref closed);
        });
        using var own = new UsbContext();
        using UsbDeviceHandle elsewhere = own.FindDevice(0x1209, 0x0011)!.Open();
        int early = -1;
        UsbError claim = UsbError.Success;
        using UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        InCallback(() =>
        {
            closer.Start();
            closer.Join(TimeSpan.FromMilliseconds(100)); // gives the other thread time in which it could close the handle too early
            early = Volatile.Read(ref closed);
            claim = elsewhere.TryClaimInterface(0, out _);
        });
        Assert.True(closer.Join(Patience));
        Assert.Equal(0, early);
        Assert.Equal(UsbError.Busy, claim); // the first handle had not yet released the interface
        Assert.Equal(UsbError.Success, elsewhere.TryClaimInterface(0, out _));
        Assert.Equal(2, closed);
        Assert.True(released);
        Assert.True(other.IsDisposed);
    }

    // In this test, the callback of a transfer on one handle calls a method of a second handle. During this call, another thread disposes the second handle,
    // and does not wait for the callback. When the method returns, the callback's thread therefore releases the last reference to the second handle. Even then,
    // libusb_close must not run before the callback has returned.
    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handle_that_a_callback_of_another_one_uses_is_closed_after_the_callback(bool withEventThread)
    {
        UsbDeviceHandle used = Open(new BulkLoopback(new BulkLoopbackOptions { ProductId = 0x0012 }));
        int calling = 0, closes = 0;
        bool closedInCallback = false;
        using var inside = new ManualResetEventSlim();
        using var disposed = new ManualResetEventSlim();
        var disposer = new Thread(() =>
        {
            inside.Wait(Patience);
            used.Dispose();
            disposed.Set();
        });
        disposer.Start();
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            Context.SetLogHandler((_, message) =>
            {
                bool inCallback = Volatile.Read(ref calling) == Environment.CurrentManagedThreadId;
                if (message.IndexOf("[libusb_close]"u8) >= 0)
                {
                    closedInCallback |= inCallback;
                    Interlocked.Increment(ref closes);
                }
                else if (inCallback && !inside.IsSet)
                {
                    inside.Set(); // this thread is inside the call of libusb
                    Assert.True(disposed.Wait(Patience)); // the other thread disposes the handle during that call
                }
            });
            Context.SetLogLevel(UsbLogLevel.Debug);
            using UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
            InCallback(() =>
            {
                Volatile.Write(ref calling, Environment.CurrentManagedThreadId);
                used.IsKernelDriverActive(0);
                Volatile.Write(ref calling, 0);
            });
            Assert.True(disposed.IsSet);
            Assert.False(closedInCallback);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref closes) == 1, Patience));
        }
        finally
        {
            Context.SetLogLevel(UsbLogLevel.None);
            UsbLibrary.SetLogHandler(null);
        }
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_is_opened_by_another_thread_once_the_callback_has_returned(bool withEventThread)
    {
        using UsbDevice device = Find();
        int configuration = 0;
        var opener = new Thread(() =>
        {
            using UsbDeviceHandle handle = device.Open();
            configuration = handle.GetConfiguration();
        });
        using UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        InCallback(() =>
        {
            opener.Start();
            opener.Join(TimeSpan.FromMilliseconds(100));
        });
        Assert.True(opener.Join(Patience));
        Assert.Equal(1, configuration);
    }

    [BusFact]
    public void A_callback_in_a_synchronous_call_is_a_callback_too()
    {
        // In this test, only the synchronous calls handle events.
        Exception? refusal = null;
        using var called = new ManualResetEventSlim();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0, _ =>
        {
            try
            {
                _handle.GetConfiguration();
            }
            catch (InvalidOperationException exception)
            {
                refusal = exception;
            }

            _handle.Dispose(); // the handle closes after the synchronous call
            called.Set();
        });
        transfer.Submit();
        while (!called.IsSet)
            _handle.ControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), new byte[18], Patience);
        Assert.NotNull(refusal);
        Assert.True(transfer.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => _handle.GetConfiguration());
        Open(_loopback).Dispose(); // the interface is free
    }

    private UsbDevice Find() => Context.FindDevice(_loopback.Description.VendorId, _loopback.Description.ProductId)!;

    /// <summary>Runs <paramref name="act"/> in the callback of a transfer.</summary>
    private void InCallback(Action act)
    {
        Exception? failure = null;
        using var done = new ManualResetEventSlim();
        UsbTransfer transfer = _calling = _handle.CreateTransfer();
        transfer.SetControl(new UsbControlSetup(0x80, 8, 0, 0), 1, _ =>
        {
            try
            {
                act();
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            done.Set();
        });
        transfer.Submit();
        try
        {
            HandleEventsUntil(() => done.IsSet);
        }
        finally
        {
            transfer.Dispose();
        }

        if (failure is not null)
            throw new InvalidOperationException("The callback failed.", failure);
    }
}
