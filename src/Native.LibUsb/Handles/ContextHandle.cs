using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// libusb's objects must be released children first: a device released after the context, or a handle after the device, crashes or leaks. Each
// handle here holds a reference on its parent, so the order is right however the program releases them, finalisers included: finalisers run in
// any order, and the context is still released last.

/// <summary>Owns a <c>libusb_context</c>.</summary>
internal sealed unsafe class ContextHandle : SafeHandle, IOwnedHandle
{
    // The user data that libusb holds: it may call back until it has exited.
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

    /// <summary>Gets the work that callbacks have put off.</summary>
    public DeferredWork Deferred { get; }

    public libusb_context* Pointer => (libusb_context*)handle;

    /// <inheritdoc/>
    public ObjectDisposedException DisposedFailure() => new("Native.LibUsb.UsbContext");

    /// <summary>Keeps user data that was given to libusb until libusb is done with the context.</summary>
    public void FreeAfterExit(GCHandle userData)
    {
        lock (_freedAfterExit)
            _freedAfterExit.Add(userData);
    }

    /// <summary>Sets the notifiers of descriptors (<c>libusb_set_pollfd_notifiers</c>); if all arguments are null, the notifiers are removed.</summary>
    /// <remarks>The notifier of added descriptors calls <see cref="OpeningDescriptor.Note"/>.</remarks>
    public void SetPollFdNotifiers(delegate* unmanaged<int, short, void*, void> added, delegate* unmanaged<int, void*, void> removed, void* userData)
    {
        _pollFdRemoved = removed;
        _pollFdUserData = userData;
        libusb.libusb_set_pollfd_notifiers(Pointer, added is null ? OpeningDescriptor.Notifier : added, removed, userData);
    }

    protected override bool ReleaseHandle()
    {
        var exit = new ContextExit(Pointer, [.. _freedAfterExit], _pollFdRemoved, _pollFdUserData);
        if (LogScope.IsInside) // a handler that replaces itself while another thread closes; libusb waits for the handler to return
            ThreadPool.UnsafeQueueUserWorkItem(FirstContext.Exit, exit, preferLocal: false);
        else
            FirstContext.Exit(exit);
        return true;
    }
}
