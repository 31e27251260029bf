using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Provides the virtual bus of a test. A process has one bus at a time. If the constructor of a test throws, xunit does not dispose the test, and the bus of
/// this test remains. The next test therefore disposes the remaining bus before it creates its own bus.
/// </summary>
internal static class TestBus
{
    // The object that owns the bus; null if the owner has been disposed.
    private static IDisposable? s_owner;

    /// <summary>Creates a bus that the test disposes directly.</summary>
    public static VirtualBus Create(VirtualBusOptions? options = null)
    {
        DisposeLeftover();
        var bus = new VirtualBus(options);
        s_owner = bus;
        return bus;
    }

    /// <summary>Creates a bus for an owner that disposes the bus together with other objects.</summary>
    /// <param name="owner">
    /// The object that disposes the bus. If the object has not disposed the bus, the next test calls the object's Dispose method. The method must permit a
    /// second call, and a call after the object's constructor has thrown an exception.
    /// </param>
    /// <param name="options">The options of the bus.</param>
    public static VirtualBus CreateFor(IDisposable owner, VirtualBusOptions? options = null)
    {
        VirtualBus bus = Create(options);
        s_owner = owner;
        return bus;
    }

    /// <summary>Records that an owner was disposed.</summary>
    public static void Disposed(IDisposable owner) => Interlocked.CompareExchange(ref s_owner, null, owner);

    private static void DisposeLeftover() => Interlocked.Exchange(ref s_owner, null)?.Dispose();
}
