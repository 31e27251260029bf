using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Represents the virtual bus of a test. A process has one at a time, and a test whose constructor throws is never disposed: what it has left is
/// disposed by the test after it, which would find the place taken, with all tests that follow.
/// </summary>
internal static class TestBus
{
    // Who has the bus, and was not disposed as far as is known here.
    private static IDisposable? s_owner;

    /// <summary>Makes a bus that is disposed by itself.</summary>
    public static VirtualBus Create(VirtualBusOptions? options = null)
    {
        DisposeLeftover();
        var bus = new VirtualBus(options);
        s_owner = bus;
        return bus;
    }

    /// <summary>Makes the bus of something that disposes it, and more with it.</summary>
    /// <param name="owner">It may be disposed as soon as it has the bus, and more than once.</param>
    /// <param name="options">Of the bus.</param>
    public static VirtualBus CreateFor(IDisposable owner, VirtualBusOptions? options = null)
    {
        VirtualBus bus = Create(options);
        s_owner = owner;
        return bus;
    }

    /// <summary>It was disposed.</summary>
    public static void Disposed(IDisposable owner) => Interlocked.CompareExchange(ref s_owner, null, owner);

    private static void DisposeLeftover() => Interlocked.Exchange(ref s_owner, null)?.Dispose();
}
