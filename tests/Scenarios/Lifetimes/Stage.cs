using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents a device, a context of its own with the device open, and the transfers of a load; and what is owed to them at the end.</summary>
internal sealed class Stage : IDisposable
{
    /// <summary>Only a broken test waits that long.</summary>
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

    /// <summary>Closes everything, and waits until it is closed, the thread that has begun to.</summary>
    public void Close()
    {
        Context.Dispose();
        Events?.Dispose(); // where a callback disposed the context, it is the event thread that closes it
    }

    /// <summary>When all is closed: each transfer came back as often as it was taken, and nothing is left of anything.</summary>
    public void CheckEnd()
    {
        ThrowFailure();
        Transfers.ForEach(transfer => transfer.CheckEnd());
        Assert.Equal(0, Device.Kept);
        CountingAllocator.CheckNothingIsLeft(_before);
    }

    /// <summary>Handles events, or has the event thread handle them, until something has come about.</summary>
    public void WaitUntil(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (Events is not { IsRunning: true } && !condition())
        {
            ThrowFailure();
            Assert.True(Environment.TickCount64 < end, "The events did not come.");
            try
            {
                Context.HandleEvents(TimeSpan.FromMilliseconds(20));
            }
            catch (ObjectDisposedException)
            {
                break; // somebody disposes the context, and handles what there is to handle
            }
        }

        Until(condition);
    }

    /// <summary>Waits until something has come about without this thread's help.</summary>
    public void Until(Func<bool> condition)
    {
        Assert.True(SpinWait.SpinUntil(() => condition() || HasFailed, Patience), "It did not come about.");
        ThrowFailure();
    }

    /// <summary>Remembers what went wrong on a thread that cannot throw it.</summary>
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
