using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// Takes references to native handles. If a handle is released, <see cref="Add"/> throws an exception that names the public type of the handle's owner.
/// </summary>
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
