using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Takes references to native handles. For a released handle, the exception names the public type that owned it.</summary>
internal static class HandleReference
{
    /// <summary>Takes a reference, which the caller releases with <see cref="SafeHandle.DangerousRelease"/>.</summary>
    /// <exception cref="ObjectDisposedException">The handle is released.</exception>
    public static void Add(SafeHandle handle)
    {
        bool added = false;
        try
        {
            handle.DangerousAddRef(ref added);
        }
        catch (ObjectDisposedException) when (handle is IOwnedHandle)
        {
            throw ((IOwnedHandle)handle).DisposedFailure();
        }
    }
}
