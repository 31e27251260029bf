using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Takes references on native handles. A handle that is released already is reported under the name of the public type that owns it.</summary>
internal static class HandleReference
{
    /// <summary>Takes a reference, which the caller gives back with <see cref="SafeHandle.DangerousRelease"/>.</summary>
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
