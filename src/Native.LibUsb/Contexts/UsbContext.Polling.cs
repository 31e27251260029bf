using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The members in this file are for programs with their own event loop. These members report the file descriptors to watch, and the longest time to wait.
public sealed unsafe partial class UsbContext
{
    private readonly Lock _notifierChange = new();
    private GCHandle _notifierTarget;
    private Action<UsbPollFd>? _pollFdAdded;
    private Action<int>? _pollFdRemoved;

    /// <summary>
    /// Gets whether libusb signals an expired timeout through its file descriptors (<c>libusb_pollfds_handle_timeouts</c>). If the value is false, the event
    /// loop must not wait longer than the time that <see cref="GetNextTimeout"/> returns. The value is true on Linux and false on macOS.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public bool PollFdsHandleTimeouts
    {
        get
        {
            using var lease = new HandleLease(_native);
            return libusb.libusb_pollfds_handle_timeouts(_native.Pointer) != 0;
        }
    }

    /// <summary>
    /// Gets the file descriptors to watch (<c>libusb_get_pollfds</c>). When a descriptor has an event, call <see cref="HandleEvents"/> with a timeout of zero.
    /// The set of descriptors changes when devices are opened and closed. For each change, libusb calls the functions that were passed to
    /// <see cref="SetPollFdNotifiers"/>.
    /// </summary>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows, which has no such file descriptors.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbPollFd[] GetPollFds()
    {
        using var lease = new HandleLease(_native);
        libusb_pollfd** list = libusb.libusb_get_pollfds(_native.Pointer);
        if (list is null)
            UsbException.Throw(UsbError.NotSupported, "list libusb's file descriptors");
        try
        {
            int count = 0;
            while (list[count] is not null)
                count++;
            var descriptors = new UsbPollFd[count];
            for (int i = 0; i < count; i++)
                descriptors[i] = new UsbPollFd(list[i]->fd, (UsbPollEvents)list[i]->events);
            return descriptors;
        }
        finally
        {
            libusb.libusb_free_pollfds(list);
        }
    }

    /// <summary>
    /// Sets the functions that are called when a file descriptor is added or removed (<c>libusb_set_pollfd_notifiers</c>). The functions run on the thread that
    /// opens or closes a device. Each call of this method replaces the functions of the preceding call. If both arguments are null, no function is called any
    /// more.
    /// </summary>
    /// <remarks>
    /// The same restrictions apply to these functions as to transfer callbacks: the functions must not open devices, make synchronous transfers or handle
    /// events. If one of the functions disposes an interface, a handle or a context, the library closes this object later, at the end of the call that opens or
    /// closes the device. If the program never disposes a handle, the garbage collector's finalizer thread closes the handle and calls
    /// <paramref name="removed"/> for the handle's file descriptor.
    /// </remarks>
    /// <param name="added">The function that is called with a file descriptor that must be watched from now on.</param>
    /// <param name="removed">The function that is called with a file descriptor that must no longer be watched. The descriptor may be closed already.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public void SetPollFdNotifiers(Action<UsbPollFd>? added, Action<int>? removed)
    {
        lock (_notifierChange)
        {
            using var lease = new HandleLease(_native);
            bool had = _pollFdAdded is not null || _pollFdRemoved is not null, has = added is not null || removed is not null;
            CountPoller((has ? 1 : 0) - (had ? 1 : 0)); // a program with notifiers has an event loop, which waits on the descriptors and handles the events
            _pollFdAdded = added;
            _pollFdRemoved = removed;
            if (added is null && removed is null)
            {
                _native.SetPollFdNotifiers(null, null, null);
                return;
            }

            if (!_notifierTarget.IsAllocated)
            {
                _notifierTarget = UserDataHandle.Allocate(this, GCHandleType.Weak);
                _native.FreeAfterExit(_notifierTarget);
            }

            _native.SetPollFdNotifiers(&OnPollFdAdded, &OnPollFdRemoved, (void*)GCHandle.ToIntPtr(_notifierTarget));
        }
    }

    /// <summary>
    /// Gets the time after which the program must call <see cref="HandleEvents"/> even if no file descriptor has an event (<c>libusb_get_next_timeout</c>).
    /// </summary>
    /// <returns>
    /// The time from now until the timeout, or zero if the timeout has expired. Null if there is no timeout, or if <see cref="PollFdsHandleTimeouts"/> is
    /// true.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed.</exception>
    public TimeSpan? GetNextTimeout()
    {
        using var lease = new HandleLease(_native);
        timeval wait;
        int found = UsbException.ThrowIfError(libusb.libusb_get_next_timeout(_native.Pointer, &wait), "ask for the next timeout");
        return found == 0 ? null : wait.ToTimeSpan();
    }

    [UnmanagedCallersOnly]
    private static void OnPollFdAdded(int fd, short events, void* userData)
    {
        if (GCHandle.FromIntPtr((nint)userData).Target is UsbContext context)
            context.Notify(context._pollFdAdded, new UsbPollFd(fd, (UsbPollEvents)events));
        OpeningDescriptor.Note(fd); // called after the program's notifier, on the thread that opens the device
    }

    [UnmanagedCallersOnly]
    private static void OnPollFdRemoved(int fd, void* userData)
    {
        if (GCHandle.FromIntPtr((nint)userData).Target is UsbContext context)
            context.Notify(context._pollFdRemoved, fd);
    }

    private void Notify<T>(Action<T>? notifier, T argument)
    {
        using var scope = new CallbackScope(_native); // libusb blocks event handling while it closes a device: a notifier that waited for events would deadlock
        try
        {
            notifier?.Invoke(argument);
        }
        catch (Exception exception) // an exception may not cross libusb's frames
        {
            ReportCallbackException(this, exception);
        }
    }
}
