using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// For programs that have an event loop of their own: which file descriptors to watch, and until when.
public sealed unsafe partial class UsbContext
{
    private readonly Lock _notifierChange = new();
    private GCHandle _notifierTarget;
    private Action<UsbPollFd>? _pollFdAdded;
    private Action<int>? _pollFdRemoved;

    /// <summary>
    /// Gets whether libusb's descriptors also signal when a timeout is due (<c>libusb_pollfds_handle_timeouts</c>). If not, wait no longer than
    /// <see cref="GetNextTimeout"/>. True on Linux, false on macOS.
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
    /// Gets the descriptors to watch (<c>libusb_get_pollfds</c>): when one has an event, call <see cref="HandleEvents"/> with zero. They
    /// change as devices are opened and closed; see <see cref="SetPollFdNotifiers"/>.
    /// </summary>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/> on Windows, which has no such descriptors.</exception>
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
    /// Calls back when descriptors come and go (<c>libusb_set_pollfd_notifiers</c>), on the thread that opens or closes a device. Replaces those
    /// set before; null for both ends it.
    /// </summary>
    /// <remarks>
    /// These functions must not do what callbacks of transfers must not do: open, transfer synchronously or handle events. Objects that
    /// they dispose are closed after the call that they come from. The collector closes handles that the program forgot, on its own thread.
    /// </remarks>
    /// <param name="added">A descriptor is to be watched.</param>
    /// <param name="removed">A descriptor is not to be watched any more. It may be closed already.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public void SetPollFdNotifiers(Action<UsbPollFd>? added, Action<int>? removed)
    {
        lock (_notifierChange)
        {
            using var lease = new HandleLease(_native);
            bool had = _pollFdAdded is not null || _pollFdRemoved is not null, has = added is not null || removed is not null;
            CountPoller((has ? 1 : 0) - (had ? 1 : 0)); // the thread that is notified waits on the descriptors and handles the events
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
    /// Gets the time after which libusb must be called even without an event (<c>libusb_get_next_timeout</c>).
    /// </summary>
    /// <returns>The time from now, zero when it is due; null when there is none, as always where <see cref="PollFdsHandleTimeouts"/>.</returns>
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
        OpeningDescriptor.Note(fd); // after the notifier of the program, on the thread that opens the device
    }

    [UnmanagedCallersOnly]
    private static void OnPollFdRemoved(int fd, void* userData)
    {
        if (GCHandle.FromIntPtr((nint)userData).Target is UsbContext context)
            context.Notify(context._pollFdRemoved, fd);
    }

    private void Notify<T>(Action<T>? notifier, T argument)
    {
        using var scope = new CallbackScope(_native); // closing holds the events: code that waited for some here would deadlock
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
