using System.Runtime.CompilerServices;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Provides access to the internal members with which tests control the fast path of a ring.</summary>
internal static class FastPath
{
    /// <summary>Gets whether the event thread completes transfers without the ring's lock.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsOnFastPath")]
    public static extern bool IsOn(UsbRing ring);

    /// <summary>Sets whether the ring may switch to the fast path.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_AllowsFastPath")]
    public static extern void Allow(UsbRing ring, bool allowed);

    /// <summary>Makes the next callback leave the fast path. Call this method in a handler.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "InterruptFastPath")]
    public static extern void Interrupt(UsbRing ring);
}
