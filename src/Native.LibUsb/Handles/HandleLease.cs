using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Keeps a native handle from being released while a native call uses it.</summary>
internal readonly ref struct HandleLease
{
    private readonly SafeHandle _handle;

    public HandleLease(SafeHandle handle)
    {
        LogScope.ThrowIfInside();
        HandleReference.Add(handle); // throws ObjectDisposedException
        _handle = handle;
    }

    public void Dispose() => _handle.DangerousRelease();
}
