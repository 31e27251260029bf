using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// Allocates and frees the GC handles that libusb gets as user data, and counts them. The compiler refuses <see cref="GCHandle"/>'s own methods elsewhere in
/// the library, so that tests see every handle that is not freed, also under Native AOT.
/// </summary>
internal static class UserDataHandle
{
    private static int s_count;

    /// <summary>Gets how many are allocated in the process.</summary>
    public static int Count => Volatile.Read(ref s_count);

#pragma warning disable RS0030 // This is the one place that may call them.
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
