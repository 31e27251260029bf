using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// Allocates, frees and counts the GC handles that libusb gets as user data. An analyzer forbids the methods of <see cref="GCHandle"/> in all other code of the
/// library. Therefore, the count includes every GC handle. With the count, tests can detect a handle that is not freed. These tests also work under Native AOT.
/// </summary>
internal static class UserDataHandle
{
    private static int s_count;

    /// <summary>Gets the number of GC handles that are allocated in the process.</summary>
    public static int Count => Volatile.Read(ref s_count);

#pragma warning disable RS0030 // Only this class may call these methods.
    public static GCHandle Allocate(object? target, GCHandleType type)
    {
        GCHandle handle = GCHandle.Alloc(target, type);
        Interlocked.Increment(ref s_count);
        return handle;
    }

    public static void Free(ref GCHandle handle)
    {
        handle.Free(); // throws if it is not allocated
        Interlocked.Decrement(ref s_count);
    }
#pragma warning restore RS0030
}
