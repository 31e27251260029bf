using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Lets one thread wait both for USB events and for events of other file descriptors. <see cref="Poll"/> handles the USB events and returns the other
/// descriptors that have events. Linux and macOS support this class.
/// </summary>
/// <remarks>
/// Only one thread at a time may use a poller, and no other thread should handle the context's events while the poller exists. Devices may be opened and closed
/// on any thread at any time. While the poller exists, do not call <see cref="UsbContext.SetPollFdNotifiers"/>, because the poller itself sets the notifiers of
/// the context.
/// </remarks>
public sealed class UsbPoller : IDisposable
{
    private const int MostEvents = 64;

    private readonly UsbContext _context;
    private readonly IUsbPoller _poller;
    private readonly bool _handlesTimeouts;
    private readonly HashSet<int> _usb = []; // only the polling thread uses it

    // This queue contains the changes to the set of libusb's file descriptors. The thread that opens or closes a device adds a change to the queue, and the
    // polling thread applies the change. libusb wakes the polling thread before the change is in the queue. Therefore, the thread that adds the change wakes
    // the polling thread again.
    private readonly ConcurrentQueue<(int FileDescriptor, UsbPollEvents? Added)> _changes = new();
    private readonly UsbPollFd[] _ready = new UsbPollFd[MostEvents];
    private bool _disposed;

    /// <summary>Initializes a <see cref="UsbPoller"/> that uses <paramref name="poller"/> to wait for events of a context's file descriptors.</summary>
    /// <param name="context">The context whose events are handled.</param>
    /// <param name="poller">The object that waits for events. The program may have registered its own file descriptors with this object.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is Windows.</exception>
    public UsbPoller(UsbContext context, IUsbPoller poller)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(poller);
        _context = context;
        _poller = poller;
        _handlesTimeouts = context.PollFdsHandleTimeouts;

        // The constructor sets the notifiers before it gets the context's current file descriptors. If libusb opens a file descriptor between these two steps,
        // the poller adds the descriptor twice, and the second addition changes nothing. If the constructor got the current file descriptors first, the poller
        // would miss this descriptor.
        context.SetPollFdNotifiers(
            added => Change(added.FileDescriptor, added.Events), removed => Change(removed, null));
        try
        {
            foreach (UsbPollFd descriptor in context.GetPollFds())
                Watch(descriptor.FileDescriptor, descriptor.Events);
        }
        catch
        {
            context.SetPollFdNotifiers(null, null);
            throw;
        }
    }

    /// <summary>Begins to watch a descriptor of the program.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <param name="events">The events to wait for.</param>
    /// <exception cref="ArgumentException">The descriptor belongs to libusb.</exception>
    public void Register(int fileDescriptor, UsbPollEvents events)
    {
        CheckOwn(fileDescriptor);
        _poller.Register(fileDescriptor, events);
    }

    /// <summary>Stops watching a descriptor of the program.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <exception cref="ArgumentException">The descriptor belongs to libusb.</exception>
    public void Unregister(int fileDescriptor)
    {
        CheckOwn(fileDescriptor);
        _poller.Unregister(fileDescriptor);
    }

    /// <summary>Waits for events and handles the USB events. Callbacks run during the call.</summary>
    /// <param name="others">Receives the program's own descriptors that have events.</param>
    /// <param name="timeout">
    /// The maximum time to wait. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no limit. With zero, the method does not wait. The method may also return
    /// before the timeout expires.
    /// </param>
    /// <returns>The number of file descriptors in <paramref name="others"/>. The number is 0 if only file descriptors of libusb had events, or if the wait
    /// ended without an event.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and is not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="InvalidOperationException">The method was called from a callback of the context.</exception>
    /// <exception cref="ObjectDisposedException">The poller or the context is disposed.</exception>
    public int Poll(Span<UsbPollFd> others, TimeSpan? timeout = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        CallbackScope.ThrowIfInside(_context.NativeHandle, "handle events"); // before the wait: the event may not occur until the callback has returned
        if (timeout == Timeout.InfiniteTimeSpan)
            timeout = null;
        if (timeout is { } time)
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));

        ApplyChanges();
        int found = _poller.Poll(_ready, Earlier(timeout, _handlesTimeouts ? null : _context.GetNextTimeout()));
        bool usb = found == 0; // no descriptor has an event, but one of libusb's timeouts may have expired
        int count = 0;
        for (int i = 0; i < found; i++)
        {
            if (_usb.Contains(_ready[i].FileDescriptor))
                usb = true;
            else if (count < others.Length)
                others[count++] = _ready[i];
        }

        if (usb)
            _context.HandleEvents(TimeSpan.Zero);
        return count;
    }

    /// <summary>Unregisters libusb's descriptors from the <see cref="IUsbPoller"/>. May be called more than once.</summary>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            _context.SetPollFdNotifiers(null, null);
        }
        catch (ObjectDisposedException)
        {
            // the context was disposed before this object, and libusb has closed its descriptors
        }

        ApplyChanges();
        foreach (int descriptor in _usb)
            _poller.Unregister(descriptor);
        _usb.Clear();
    }

    private static TimeSpan? Earlier(TimeSpan? one, TimeSpan? other) =>
        one is null ? other : other is null ? one : one < other ? one : other;

    private void Change(int fileDescriptor, UsbPollEvents? added)
    {
        _changes.Enqueue((fileDescriptor, added));
        _context.InterruptEventHandlers(); // the thread that libusb woke may have found no change yet, and may wait again
    }

    private void ApplyChanges()
    {
        while (_changes.TryDequeue(out (int FileDescriptor, UsbPollEvents? Added) change))
        {
            if (change.Added is { } events)
                Watch(change.FileDescriptor, events);
            else if (_usb.Remove(change.FileDescriptor))
                _poller.Unregister(change.FileDescriptor);
        }
    }

    private void Watch(int fileDescriptor, UsbPollEvents events)
    {
        _usb.Add(fileDescriptor);
        _poller.Register(fileDescriptor, events);
    }

    private void CheckOwn(int fileDescriptor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ApplyChanges();
        if (_usb.Contains(fileDescriptor))
            throw new ArgumentException($"Descriptor {fileDescriptor} is libusb's own.", nameof(fileDescriptor));
    }
}
