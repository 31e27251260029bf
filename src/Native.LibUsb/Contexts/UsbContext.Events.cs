using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Handling events: the only time in which callbacks run.
public sealed unsafe partial class UsbContext
{
    // Work that a callback asked for and libusb forbids in callbacks, done right after the call that the callback came from: one that handles
    // events, or one that opens or closes and tells about descriptors.
    private readonly ConcurrentQueue<Action> _deferred = new();
    private readonly ConcurrentQueue<Exception> _callbackExceptions = new();

    // Whether the native context is to be exited as soon as nobody is in it. The handle does not tell: it is closed when the last one leaves,
    // and until then it lets others in.
    private readonly Lock _eventThreadChange = new();
    private UsbEventThread? _eventThread;

    /// <summary>
    /// Waits for events and calls the callbacks they are for, on this thread (<c>libusb_handle_events_completed</c>). Returns after the
    /// first ones, when another thread handled some, when <see cref="InterruptEventHandlers"/> is called, or after 60 seconds. A signal
    /// is no error.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEvents() => FinishPump(Pump(null, null));

    /// <summary>As <see cref="HandleEvents()"/>, but waits no longer than <paramref name="timeout"/>.</summary>
    /// <param name="timeout">How long to wait; zero handles what is there and returns, and <see cref="Timeout.InfiniteTimeSpan"/> or more than 24.8 days is 24.8 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEvents(TimeSpan timeout)
    {
        var wait = new timeval(timeout);
        FinishPump(Pump(&wait, null));
    }

    /// <summary>
    /// As <see cref="HandleEvents()"/>, but returns at once when <paramref name="completed"/> is not 0, also when another thread handles the
    /// event that makes it so. Only callbacks may set it: set elsewhere, this thread may not notice for 60 seconds.
    /// </summary>
    /// <param name="completed">The flag, in memory that does not move (a field of a pinned object, a local, native memory).</param>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEventsUntil(ref int completed)
    {
        fixed (int* flag = &completed)
            FinishPump(Pump(null, flag));
    }

    /// <summary>As <see cref="HandleEventsUntil(ref int)"/>, but waits no longer than <paramref name="timeout"/> (<c>libusb_handle_events_timeout_completed</c>).</summary>
    /// <param name="completed">The flag, in memory that does not move (a field of a pinned object, a local, native memory).</param>
    /// <param name="timeout">How long to wait; zero handles what is there and returns, and <see cref="Timeout.InfiniteTimeSpan"/> or more than 24.8 days is 24.8 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEventsUntil(ref int completed, TimeSpan timeout)
    {
        var wait = new timeval(timeout);
        fixed (int* flag = &completed)
            FinishPump(Pump(&wait, flag));
    }

    /// <summary>
    /// Makes a thread that waits for events return (<c>libusb_interrupt_event_handler</c>). If none waits, the next one returns at once: a
    /// stop flag, this call and a join stop a thread without a race.
    /// </summary>
    public void InterruptEventHandlers()
    {
        if (_native.IsClosed)
            return;
        try
        {
            using var lease = new HandleLease(_native);
            libusb.libusb_interrupt_event_handler(_native.Pointer);
        }
        catch (ObjectDisposedException)
        {
            // closed between the look and the lease: there is nobody to interrupt
        }
    }

    /// <summary>
    /// Starts a thread of its own that handles this context's events until it is disposed, or the context is. With it, callbacks run on
    /// that thread (and, while another thread makes a synchronous transfer, possibly on that one).
    /// </summary>
    /// <param name="options">Its name, its priority and its processors; null is an ordinary thread.</param>
    /// <returns>The running thread, which has the scheduling that was asked for, or tells why not.</returns>
    /// <exception cref="ArgumentException">The options name no processor, or one that the machine does not have, or a priority out of range.</exception>
    /// <exception cref="UnauthorizedAccessException">The scheduling is <see cref="UsbSchedulingDemand.Required"/> and not permitted; the message says what permits it.</exception>
    /// <exception cref="PlatformNotSupportedException">It is required, and this operating system has no such thing.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">It is required, and the operating system refused it for another reason.</exception>
    /// <exception cref="InvalidOperationException">The context has an event thread already.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbEventThread StartEventThread(UsbEventThreadOptions? options = null)
    {
        lock (_eventThreadChange)
        {
            ObjectDisposedException.ThrowIf(_native.IsClosed || Handles.IsClosed, this);
            if (_eventThread is { IsRunning: true })
                throw new InvalidOperationException("The context has an event thread already.");
            return _eventThread = new UsbEventThread(this, options ?? new UsbEventThreadOptions());
        }
    }

    /// <summary>Whether callbacks come by themselves, because an event thread of the context's runs, and this is not it.</summary>
    internal bool IsPumpedElsewhere => _eventThread is { IsRunning: true, IsCurrent: false };

    /// <summary>Reports what left a callback. Called inside libusb's frames: nothing may leave here either.</summary>
    internal void ReportCallbackException(object? source, Exception exception)
    {
        if (UnhandledCallbackException is not { } subscribers)
        {
            _callbackExceptions.Enqueue(exception);
            return;
        }

        try
        {
            subscribers(this, new UsbUnhandledCallbackExceptionEventArgs(exception, source));
        }
        catch (Exception fromSubscriber)
        {
            _callbackExceptions.Enqueue(new AggregateException(exception, fromSubscriber));
        }
    }

    /// <summary>Does <paramref name="work"/> after the call that this callback is inside of.</summary>
    internal void Defer(Action work) => _deferred.Enqueue(work);

    /// <summary>Handles events once. Callbacks' exceptions stay queued.</summary>
    /// <param name="wait">How long at most; null is libusb's 60 seconds.</param>
    /// <param name="completed">libusb's flag, or null.</param>
    internal int Pump(timeval* wait, int* completed)
    {
        CallbackScope.ThrowIfInside(this, "handle events");
        int result;
        using (new HandleLease(_native)) // the context cannot be left under us
        {
            ObjectDisposedException.ThrowIf(_exiting, this); // a lease of another thread's keeps the native context; this one must not stay
            using (new CallbackScope(this))
            {
                result = wait is null
                    ? libusb.libusb_handle_events_completed(_native.Pointer, completed)
                    : libusb.libusb_handle_events_timeout_completed(_native.Pointer, wait, completed);
            }
        }

        RunDeferred();
        return result == (int)UsbError.Interrupted ? 0 : result; // a signal: the runtime uses them for itself
    }

    /// <summary>
    /// Runs something that libusb may handle events in (a synchronous transfer): it is forbidden in callbacks, and callbacks of other
    /// transfers may run in it.
    /// </summary>
    internal CallbackScope EnterSynchronous(string operation)
    {
        CallbackScope.ThrowIfInside(this, operation);
        return new CallbackScope(this);
    }

    /// <summary>Does what callbacks put off, at the end of every call that callbacks can run in.</summary>
    internal void RunDeferred()
    {
        if (CallbackScope.IsInside(this))
            return;
        while (_deferred.TryDequeue(out Action? work))
            work();
        if (_exiting)
            InterruptEventHandlers(); // Dispose woke this thread: now the next one
    }

    private void FinishPump(int result)
    {
        ThrowCallbackExceptions();
        UsbException.ThrowIfError(result, "handle events");
    }

    /// <summary>Throws what left callbacks while nobody had subscribed.</summary>
    internal void ThrowCallbackExceptions()
    {
        if (_callbackExceptions.IsEmpty)
            return;
        var exceptions = new List<Exception>();
        while (_callbackExceptions.TryDequeue(out Exception? exception))
            exceptions.Add(exception);
        if (exceptions.Count == 1)
            ExceptionDispatchInfo.Throw(exceptions[0]);
        if (exceptions.Count > 1)
            throw new AggregateException("Several callbacks failed.", exceptions);
    }

    private void StopEventThread()
    {
        UsbEventThread? thread;
        lock (_eventThreadChange)
            thread = _eventThread;
        thread?.Dispose();
    }
}
