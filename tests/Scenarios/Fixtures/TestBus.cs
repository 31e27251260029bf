using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Represents the virtual bus of a test. A process has one bus at a time, and xunit never disposes a test whose constructor throws. The
/// next test disposes the bus that such a test has left; otherwise all later tests would fail to create a bus.
/// </summary>
internal static class TestBus
{
    // The object that owns the bus; null after the owner has reported its disposal.
    private static IDisposable? s_owner;

    /// <summary>Creates a bus that is its own owner.</summary>
    public static VirtualBus Create(VirtualBusOptions? options = null)
    {
        DisposeLeftover();
        var bus = new VirtualBus(options);
        s_owner = bus;
        return bus;
    }

    /// <summary>Creates a bus for an owner that disposes the bus and other objects.</summary>
    /// <param name="owner">The owner. It may be disposed as soon as it has the bus, and more than once.</param>
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
