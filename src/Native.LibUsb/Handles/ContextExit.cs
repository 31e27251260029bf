using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Exits a native context that threads no longer use, and then frees the GC handles that libusb received as user data.</summary>
/// <param name="context">The context.</param>
/// <param name="userData">The GC handles that libusb may use as user data until the context has exited.</param>
/// <param name="pollFdRemoved">The notifier that reports removed descriptors of the context, or null.</param>
/// <param name="pollFdUserData">The user data of the notifier.</param>
internal sealed unsafe class ContextExit(
    libusb_context* context, GCHandle[] userData, delegate* unmanaged<int, void*, void> pollFdRemoved, void* pollFdUserData)
{
    private readonly nint _context = (nint)context;
    private readonly nint _pollFdRemoved = (nint)pollFdRemoved;
    private readonly nint _pollFdUserData = (nint)pollFdUserData;

    /// <summary>Gets the native context.</summary>
    public nint Context => _context;

    private libusb_context* Pointer => (libusb_context*)_context;

    /// <summary>Exits the context (<c>libusb_exit</c>).</summary>
    public void Run()
    {
        object? log = LogDispatcher.Find(Pointer);
        libusb.libusb_exit(Pointer);
        LogDispatcher.Forget(Pointer, log);
        foreach (ref GCHandle handle in userData.AsSpan())
            UserDataHandle.Free(ref handle);
    }

    /// <summary>
    /// Prevents libusb from calling log handlers and notifiers for a context that is closed but not exited yet. The method turns off logging, clears the
    /// functions that libusb calls when it adds or removes a file descriptor, and then reports to the program that the context's file descriptors were removed.
    /// </summary>
    public void Silence()
    {
        LogDispatcher.Set(Pointer, null);
        _ = libusb.libusb_set_option(Pointer, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)UsbLogLevel.None);
        libusb.libusb_set_pollfd_notifiers(Pointer, null, null, null);
        if (_pollFdRemoved == 0)
            return;
        libusb_pollfd** list = libusb.libusb_get_pollfds(Pointer);
        if (list is null)
            return;
        for (libusb_pollfd** descriptor = list; *descriptor is not null; descriptor++)
            ((delegate* unmanaged<int, void*, void>)_pollFdRemoved)((*descriptor)->fd, (void*)_pollFdUserData);
        libusb.libusb_free_pollfds(list);
    }
}
