using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Waits for USB events and for those of other file descriptors together, in one thread: USB events are handled inside
/// <see cref="Poll"/>, the others are returned. Linux and macOS.
/// </summary>
/// <remarks>
/// Not for use by several threads at once. No other thread should handle the context's events in the meantime; devices may be opened and closed on
/// any thread at any time. It takes the context's descriptor notifiers; while it exists, leave <see cref="UsbContext.SetPollFdNotifiers"/> alone.
/// </remarks>
public sealed class UsbPoller : IDisposable
{
    private const int MostEvents = 64;

    private readonly UsbContext _context;
    private readonly IUsbPoller _poller;
    private readonly bool _handlesTimeouts;
    private readonly HashSet<int> _usb = []; // touched by the polling thread alone

    // The reports of libusb, on the threads that open and close devices; applied by the polling thread. libusb wakes that thread, but before the report.
    private readonly ConcurrentQueue<(int FileDescriptor, UsbPollEvents? Added)> _changes = new();
    private readonly UsbPollFd[] _ready = new UsbPollFd[MostEvents];
    private bool _disposed;

    /// <summary>Watches a context's descriptors with a poller.</summary>
    /// <param name="context">The context whose events to handle.</param>
    /// <param name="poller">What waits; the program may have other descriptors in it.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/> on Windows.</exception>
    public UsbPoller(UsbContext context, IUsbPoller poller)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(poller);
        _context = context;
        _poller = poller;
        _handlesTimeouts = context.PollFdsHandleTimeouts;

        // Notifiers first: what is opened between the two calls is added twice rather than never.
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

    /// <summary>Watches a descriptor that is not USB's.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <param name="events">What for.</param>
    /// <exception cref="ArgumentException">libusb watches it.</exception>
    public void Register(int fileDescriptor, UsbPollEvents events)
    {
        CheckOwn(fileDescriptor);
        _poller.Register(fileDescriptor, events);
    }

    /// <summary>Watches a descriptor that is not USB's no more.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <exception cref="ArgumentException">libusb watches it.</exception>
    public void Unregister(int fileDescriptor)
    {
        CheckOwn(fileDescriptor);
        _poller.Unregister(fileDescriptor);
    }

    /// <summary>Waits for events, and handles those of USB: callbacks run in it.</summary>
    /// <param name="others">Where descriptors that are not USB's go when they have events.</param>
    /// <param name="timeout">The longest wait; null and <see cref="Timeout.InfiniteTimeSpan"/> set no limit, zero does not wait. It may return earlier.</param>
    /// <returns>How many were written to <paramref name="others"/>; 0 when only USB had events, or the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of the context.</exception>
    /// <exception cref="ObjectDisposedException">The poller or the context is disposed.</exception>
    public int Poll(Span<UsbPollFd> others, TimeSpan? timeout = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        CallbackScope.ThrowIfInside(_context.NativeHandle, "handle events"); // before it waits, which would be for an event that only follows the callback
        if (timeout == Timeout.InfiniteTimeSpan)
            timeout = null;
        if (timeout is { } time)
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));

        ApplyChanges();
        int found = _poller.Poll(_ready, Earlier(timeout, _handlesTimeouts ? null : _context.GetNextTimeout()));
        bool usb = found == 0; // nothing happened: one of libusb's timeouts may be due
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

    /// <summary>Takes libusb's descriptors out of the poller again. May be called more than once.</summary>
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
            // the context went first, and took its descriptors along
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
        _context.InterruptEventHandlers(); // the polling thread may have been awake, found nothing, and be waiting without it
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
