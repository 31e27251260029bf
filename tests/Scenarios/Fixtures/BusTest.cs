using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>Represents a test with a virtual bus, a context on the real libusb, and wait methods that fail after a timeout instead of hanging.</summary>
public abstract class BusTest : IDisposable
{
    /// <summary>Specifies the timeout for an event. Even a very busy machine needs less time, so only a broken test reaches the timeout.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Watchdog _watchdog = new(seconds: Rounds.Lengthen(120), test: "the test");

    protected BusTest(VirtualBusOptions? options = null)
    {
        Bus = TestBus.CreateFor(this, options);
        Context = new UsbContext();
    }

    protected VirtualBus Bus { get; }

    protected UsbContext Context { get; }

    /// <summary>Disposes the bus, the context and the watchdog. This method also works if the constructor has thrown an exception.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        TestBus.Disposed(this);
        try
        {
            Context?.Dispose();
        }
        finally
        {
            Bus?.Dispose();
            _watchdog.Dispose();
        }
    }

    /// <summary>Plugs in a device, opens it, and claims its interface 0.</summary>
    protected UsbDeviceHandle Open(VirtualDevice device)
    {
        if (!device.IsAttached)
            Bus.Attach(device);
        using UsbDevice found = Context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
        UsbDeviceHandle handle = found.Open();
        handle.ClaimInterface(0);
        return handle;
    }

    /// <summary>Handles events until <paramref name="condition"/> is true.</summary>
    protected void HandleEventsUntil(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < end, "The expected events did not come.");
            Context.HandleEvents(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>
    /// Repeats a garbage collection until <paramref name="condition"/> is true. One collection may not be enough, because a thread of the thread pool can keep
    /// an unused object alive for some time on a busy machine.
    /// </summary>
    protected static void CollectUntil(Func<bool> condition) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return condition();
            },
            Patience),
        "A forgotten object was not collected.");

    /// <summary>Handles events until the transfer is no longer submitted.</summary>
    protected void Finish(UsbTransfer transfer) => HandleEventsUntil(() => !transfer.IsSubmitted);
}
