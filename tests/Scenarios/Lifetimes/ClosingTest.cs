namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents a test with an open <see cref="LifetimeDevice"/>. The test closes the interface, the handle or the context.</summary>
public abstract class ClosingTest : BusTest
{
    protected ClosingTest()
    {
        Bus.Attach(Device);
        using UsbDevice found = Context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
        Handle = found.Open();
        Interface = Handle.ClaimInterface(0);
    }

    private protected LifetimeDevice Device { get; } = new();

    protected UsbDeviceHandle Handle { get; }

    protected UsbInterface Interface { get; }

    protected void Close(Closed what) => ((IDisposable)Of(what)).Dispose();

    protected ValueTask CloseAsync(Closed what) => ((IAsyncDisposable)Of(what)).DisposeAsync();

    /// <summary>Starts a thread that closes an object. A callback delays this thread until <paramref name="second"/> has returned.</summary>
    /// <param name="what">The object that is closed.</param>
    /// <param name="withEventThread">True if an event thread runs the callback; false if the closing thread runs it.</param>
    /// <param name="second">
    /// A function that begins to close the object a second time. The argument of the function is a delegate that returns whether the callback has ended. The
    /// result of the function is an action that waits until the second closing has ended.
    /// </param>
    protected void WhileACallbackHoldsUpClosing(Closed what, bool withEventThread, Func<Func<bool>, Action> second)
    {
        if (withEventThread)
            Context.StartEventThread();
        UsbTransfer transfer = Handle.CreateTransfer();
        using var inCallback = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        bool ended = false;
        transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength, _ =>
        {
            inCallback.Set();
            mayEnd.Wait();
            Volatile.Write(ref ended, true);
        });
        transfer.Submit();
        var first = new Thread(() => Close(what));
        first.Start();
        Assert.True(inCallback.Wait(Patience));
        Action wait;
        try
        {
            wait = second(() => Volatile.Read(ref ended));
        }
        finally
        {
            mayEnd.Set();
        }

        wait();
        Assert.True(first.Join(Patience));
    }

    /// <summary>Checks that another context can claim the interface.</summary>
    protected static void AssertFree()
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
        using UsbDeviceHandle stranger = device.Open();
        Assert.True(SpinWait.SpinUntil(() => stranger.TryClaimInterface(0, out UsbInterface? _) == UsbError.Success, Patience), "The interface is still claimed.");
    }

    private object Of(Closed what) => what switch
    {
        Closed.Interface => Interface,
        Closed.Handle => Handle,
        _ => Context,
    };
}
