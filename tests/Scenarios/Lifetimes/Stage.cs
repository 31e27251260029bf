using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Represents the objects of one run: a device, a separate context in which the device is open, and the transfers of a <see cref="Load"/>.
/// <see cref="CheckEnd"/> checks all these objects at the end of the run.
/// </summary>
internal sealed class Stage : IDisposable
{
    /// <summary>Specifies the timeout of waits. Only a broken test reaches it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CountingAllocator.Counts _before = CountingAllocator.Read();
    private readonly List<Exception> _failures = [];

    public Stage(VirtualBus bus, LifetimeDevice device, Load load, bool withEventThread)
    {
        Bus = bus;
        Device = device;
        if (!device.IsAttached)
            bus.Attach(device);
        Context = new UsbContext();
        Context.UnhandledCallbackException += (_, report) => Fail(report.Exception);
        using UsbDevice found = Context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
        Handle = found.Open();
        Handle.ClaimInterface(0);
        Transfers = [.. load.Cargos.Select(cargo => new TestedTransfer(Handle, cargo))];
        Events = withEventThread ? Context.StartEventThread() : null;
    }

    public VirtualBus Bus { get; }

    public LifetimeDevice Device { get; }

    public UsbContext Context { get; }

    public UsbDeviceHandle Handle { get; }

    public List<TestedTransfer> Transfers { get; }

    public UsbEventThread? Events { get; }

    /// <summary>Closes everything, and frees the memory that the transfers used.</summary>
    public void Dispose()
    {
        Close();
        Transfers.ForEach(transfer => transfer.Dispose());
    }

    /// <summary>Closes everything, and waits until all threads have finished closing.</summary>
    public void Close()
    {
        Context.Dispose();
        Events?.Dispose(); // if a callback disposed the context, the event thread closes it
    }

    /// <summary>Checks that each submission has completed exactly once, that the device holds no URB, and that all of libusb's memory has been freed. Call this
    /// method after everything is closed.</summary>
    public void CheckEnd()
    {
        ThrowFailure();
        Transfers.ForEach(transfer => transfer.CheckEnd());
        Assert.Equal(0, Device.Kept);
        CountingAllocator.CheckNothingIsLeft(_before);
    }

    /// <summary>Waits until a condition is true. The calling thread handles events if there is no event thread.</summary>
    public void WaitUntil(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (Events is not { IsRunning: true } && !condition())
        {
            ThrowFailure();
            Assert.True(Environment.TickCount64 < end, "The condition did not become true.");
            try
            {
                Context.HandleEvents(TimeSpan.FromMilliseconds(20));
            }
            catch (ObjectDisposedException)
            {
                break; // another thread disposes the context and handles the remaining events
            }
        }

        Until(condition);
    }

    /// <summary>Waits until a condition is true. The calling thread handles no events.</summary>
    public void Until(Func<bool> condition)
    {
        Assert.True(SpinWait.SpinUntil(() => condition() || HasFailed, Patience), "The condition did not become true on other threads.");
        ThrowFailure();
    }

    /// <summary>Stores an exception of a thread that cannot throw this exception to the test.</summary>
    public void Fail(Exception exception)
    {
        lock (_failures)
            _failures.Add(exception);
    }

    public void ThrowFailure()
    {
        lock (_failures)
        {
            if (_failures.Count > 0)
                throw new AggregateException(_failures);
        }
    }

    private bool HasFailed
    {
        get
        {
            lock (_failures)
                return _failures.Count > 0;
        }
    }
}
