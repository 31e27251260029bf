using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// libusb's objects must be released before their parents. The process crashes or leaks memory if a device is released after its context, or if a device handle
// is released after its device. Therefore, each SafeHandle holds a reference to the SafeHandle of its parent. The finalizers may run in any order, but the
// native context is always released last.

/// <summary>Represents a <c>libusb_context</c>, which the handle owns.</summary>
internal sealed unsafe class ContextHandle : SafeHandle, IOwnedHandle
{
    // The GC handles that libusb has as user data. libusb may use them until the context has exited.
    private readonly List<GCHandle> _freedAfterExit = [];
    private delegate* unmanaged<int, void*, void> _pollFdRemoved;
    private void* _pollFdUserData;

    public ContextHandle(libusb_context* context)
        : base(0, ownsHandle: true)
    {
        Deferred = new DeferredWork(this);
        SetHandle((nint)context);
        if (OpeningDescriptor.Notifier is not null)
            libusb.libusb_set_pollfd_notifiers(context, OpeningDescriptor.Notifier, null, null);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Gets the work that callbacks have deferred.</summary>
    public DeferredWork Deferred { get; }

    public libusb_context* Pointer => (libusb_context*)handle;

    /// <inheritdoc/>
    public ObjectDisposedException DisposedFailure() => new("Native.LibUsb.UsbContext");

    /// <summary>Keeps the GC handle of user data for libusb until the context has exited, and frees it then.</summary>
    public void FreeAfterExit(GCHandle userData)
    {
        lock (_freedAfterExit)
            _freedAfterExit.Add(userData);
    }

    /// <summary>
    /// Sets the notifiers that libusb calls when it adds or removes a file descriptor (<c>libusb_set_pollfd_notifiers</c>). If all arguments are null, libusb
    /// calls only the library's own notifier (<see cref="OpeningDescriptor.Notifier"/>).
    /// </summary>
    /// <remarks>If <paramref name="added"/> replaces the library's own notifier, the new notifier must call <see cref="OpeningDescriptor.Note"/>.</remarks>
    public void SetPollFdNotifiers(delegate* unmanaged<int, short, void*, void> added, delegate* unmanaged<int, void*, void> removed, void* userData)
    {
        _pollFdRemoved = removed;
        _pollFdUserData = userData;
        libusb.libusb_set_pollfd_notifiers(Pointer, added is null ? OpeningDescriptor.Notifier : added, removed, userData);
    }

    protected override bool ReleaseHandle()
    {
        var exit = new ContextExit(Pointer, [.. _freedAfterExit], _pollFdRemoved, _pollFdUserData);
        if (LogScope.IsInside) // another thread closed the context while a log handler replaced itself; libusb waits until the handler returns
            ThreadPool.UnsafeQueueUserWorkItem(FirstContext.Exit, exit, preferLocal: false);
        else
            FirstContext.Exit(exit);
        return true;
    }
}
