using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// libusb's objects must be released children first: a device after the context, or a handle after the device, crashes or leaks.
// Each handle here holds a reference on its parent, so the order is right whichever way the program lets go of them, finalisers
// included: they run in any order, and still the context is left last.

/// <summary>Owns a <c>libusb_context</c>.</summary>
internal sealed unsafe class ContextHandle : SafeHandle
{
    // What libusb holds as user data: it may call back until it has exited.
    private readonly List<GCHandle> _freedAfterExit = [];
    private delegate* unmanaged<int, void*, void> _pollFdRemoved;
    private void* _pollFdUserData;

    public ContextHandle(libusb_context* context)
        : base(0, ownsHandle: true) => SetHandle((nint)context);

    public override bool IsInvalid => handle == 0;

    public libusb_context* Pointer => (libusb_context*)handle;

    /// <summary>Keeps user data that was given to libusb until libusb is done with the context.</summary>
    public void FreeAfterExit(GCHandle userData)
    {
        lock (_freedAfterExit)
            _freedAfterExit.Add(userData);
    }

    /// <summary>Sets the notifiers of descriptors (<c>libusb_set_pollfd_notifiers</c>); null for all of it ends them.</summary>
    public void SetPollFdNotifiers(delegate* unmanaged<int, short, void*, void> added, delegate* unmanaged<int, void*, void> removed, void* userData)
    {
        _pollFdRemoved = removed;
        _pollFdUserData = userData;
        libusb.libusb_set_pollfd_notifiers(Pointer, added, removed, userData);
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

/// <summary>Owns something that must be gone before the context is.</summary>
internal abstract class ContextChildHandle : SafeHandle
{
    private readonly ContextHandle _context;

    protected ContextChildHandle(ContextHandle context)
        : base(0, ownsHandle: true)
    {
        bool added = false;
        context.DangerousAddRef(ref added); // throws when the context is gone
        _context = context;
    }

    public sealed override bool IsInvalid => handle == 0;

    /// <summary>Lets go of the context when there was nothing to own: the runtime never releases an invalid handle.</summary>
    public void Abandon()
    {
        SetHandleAsInvalid();
        _context.DangerousRelease();
    }

    protected sealed override bool ReleaseHandle()
    {
        if (NotInCallbacksOf is { } context && CallbackScope.IsInside(context))
            context.Defer(Release);
        else
            Release();
        return true;
    }

    /// <summary>The context in whose callbacks libusb would wait for ever for the release; null where it would not.</summary>
    protected virtual UsbContext? NotInCallbacksOf => null;

    protected abstract void ReleaseChild();

    private void Release()
    {
        ReleaseChild();
        _context.DangerousRelease();
    }
}

/// <summary>Owns one reference on a <c>libusb_device</c>.</summary>
internal sealed unsafe class DeviceReference : ContextChildHandle
{
    /// <summary>Takes a reference of its own.</summary>
    public DeviceReference(ContextHandle context, libusb_device* device)
        : base(context) => SetHandle((nint)libusb.libusb_ref_device(device));

    public libusb_device* Pointer => (libusb_device*)handle;

    protected override void ReleaseChild() => libusb.libusb_unref_device(Pointer);
}

/// <summary>Owns an open <c>libusb_device_handle</c>.</summary>
internal sealed unsafe class OpenHandle : ContextChildHandle
{
    private readonly UsbContext _context;

    public OpenHandle(UsbContext context)
        : base(context.NativeHandle) => _context = context;

    // The file that libusb was given instead of opening one, kept open as long as libusb uses it.
    private SafeHandle? _file;

    // Memory of the device's controller that was not given back. It must be before the handle closes, also when nobody disposed anything.
    private readonly HashSet<(nint Memory, int Length)> _memory = [];

    public libusb_device_handle* Pointer => (libusb_device_handle*)handle;

    /// <summary>Takes over a reference on the file.</summary>
    public void KeepOpen(SafeHandle file) => _file = file;

    /// <summary>Takes over what <c>libusb_open</c> gave.</summary>
    public void Own(libusb_device_handle* opened) => SetHandle((nint)opened);

    /// <summary>Memory of the device's controller; null where there is none. The caller holds a lease.</summary>
    public byte* AllocateMemory(int length)
    {
        byte* memory = libusb.libusb_dev_mem_alloc(Pointer, (nuint)length);
        if (memory is not null)
        {
            lock (_memory)
                _memory.Add(((nint)memory, length));
        }

        return memory;
    }

    /// <summary>Gives memory back, if that was not done. The caller holds a lease.</summary>
    public void FreeMemory(byte* memory, int length)
    {
        lock (_memory)
        {
            if (!_memory.Remove(((nint)memory, length)))
                return;
        }

        _ = libusb.libusb_dev_mem_free(Pointer, memory, (nuint)length);
    }

    // Whoever lets go of it last closes it, and that may be a callback: one that used it while another thread disposed it.
    protected override UsbContext? NotInCallbacksOf => _context;

    protected override void ReleaseChild()
    {
        foreach ((nint memory, int length) in _memory) // nobody else is here any more
            _ = libusb.libusb_dev_mem_free(Pointer, (byte*)memory, (nuint)length);
        libusb.libusb_close(Pointer);
        _file?.DangerousRelease();
    }
}

/// <summary>Keeps a native handle from being released while a native call uses it.</summary>
internal readonly ref struct HandleLease
{
    private readonly SafeHandle _handle;

    public HandleLease(SafeHandle handle)
    {
        LogScope.ThrowIfInside();
        bool added = false;
        handle.DangerousAddRef(ref added); // throws ObjectDisposedException
        _handle = handle;
    }

    public void Dispose() => _handle.DangerousRelease();
}
