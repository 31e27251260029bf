using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Handling events: the only time in which callbacks run.
public sealed unsafe partial class UsbContext
{
    private ConcurrentQueue<Exception>? _callbackExceptions; // made for the first: every call that handles events reads it
    private readonly EventPump _pump;
    private readonly bool _isManual;
    private readonly Lock _eventThreadChange = new();
    private UsbEventThread? _eventThread;
    private EventLapseWatch? _lapseWatch;
    private int _pollers; // event loops of the program's own that wait on the context's descriptors
    private bool _warned;

    /// <summary>
    /// Waits for events and runs their callbacks on this thread (<c>libusb_handle_events_timeout_completed</c>). Returns after the first events, when another
    /// thread handled some, when <see cref="InterruptEventHandlers"/> is called, or when the time is up. A signal is no error.
    /// </summary>
    /// <param name="timeout">
    /// The longest wait. Zero handles the events that are there and returns. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; libusb then returns
    /// after 60 seconds without an event.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    /// <exception cref="AggregateException">
    /// Several callbacks threw, and no handler has subscribed to <see cref="UnhandledCallbackException"/>. The exception of a single callback is thrown as it is.
    /// </exception>
    public void HandleEvents(TimeSpan? timeout = null) => Pump(timeout, null);

    /// <summary>
    /// Handles events as <see cref="HandleEvents"/> does, and also returns as soon as <paramref name="completed"/> is not 0, even if another thread handles the
    /// event that sets it. Only callbacks may set it: if other code does, this thread may not notice for 60 seconds.
    /// </summary>
    /// <param name="completed">The flag, in memory that does not move (a field of a pinned object, a local, native memory).</param>
    /// <param name="timeout">The longest wait, as in <see cref="HandleEvents"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEventsUntil(ref int completed, TimeSpan? timeout = null)
    {
        fixed (int* flag = &completed)
            Pump(timeout, flag);
    }

    /// <summary>
    /// Makes a thread that waits for events return (<c>libusb_interrupt_event_handler</c>). If none waits, the next one returns at once: a stop flag, this call
    /// and a join stop a thread without a race.
    /// </summary>
    public void InterruptEventHandlers() => _pump.Interrupt();

    /// <summary>
    /// Starts a thread that handles this context's events until the thread or the context is disposed. Callbacks then run on that thread (and, while another
    /// thread makes a synchronous transfer, possibly on that one). A context starts one by itself when an awaitable operation needs it and no thread handles events;
    /// call this method first to choose its options.
    /// </summary>
    /// <remarks>
    /// An exception that leaves a callback on this thread ends the process unless a handler has subscribed to <see cref="UnhandledCallbackException"/>.
    /// </remarks>
    /// <param name="options">Its name, its priority and its processors; null is an ordinary thread.</param>
    /// <returns>The running thread, which has the scheduling that was requested or reports why it has not.</returns>
    /// <exception cref="ArgumentException">The options name no processor, or one that the machine does not have, or a priority out of range.</exception>
    /// <exception cref="UnauthorizedAccessException">The scheduling is <see cref="UsbSchedulingDemand.Required"/> and not permitted; the message says what
    /// permits it.</exception>
    /// <exception cref="PlatformNotSupportedException">The scheduling is required, and this operating system does not have it.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">The scheduling is required, and the operating system refused it for another reason.</exception>
    /// <exception cref="InvalidOperationException">The context has an event thread already.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbEventThread StartEventThread(UsbEventThreadOptions? options = null)
    {
        lock (_eventThreadChange)
        {
            ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
            if (HasEventThread)
                throw new InvalidOperationException("The context has an event thread already.");
            return _eventThread = new UsbEventThread(this, _pump, options ?? new UsbEventThreadOptions());
        }
    }

    /// <summary>Gets the event thread that was started last; null if none was.</summary>
    internal UsbEventThread? EventThread => Volatile.Read(ref _eventThread);

    /// <summary>Gets whether an event thread runs.</summary>
    internal bool HasEventThread => EventThread is { IsRunning: true };

    /// <summary>Gets whether another thread runs the callbacks, because an event thread runs and this is not it.</summary>
    internal bool IsPumpedElsewhere => EventThread is { IsRunning: true, IsCurrent: false };

    /// <summary>Gets whether an awaitable operation waits for events.</summary>
    internal bool HasAwaiters => _hotplug.HasWatchers || _handles.Snapshot().Exists(static handle => handle.HasAwaiters);

    /// <summary>Prepares an awaitable operation: starts the event thread if no thread handles events, or logs a warning in manual mode.</summary>
    internal void RequireEvents()
    {
        if (!HasEventThread)
            RequireEventsWithoutThread();
    }

    /// <summary>Starts the event thread after the program's own event loop has ended, if it really has.</summary>
    /// <returns>Whether there is nothing more to watch.</returns>
    internal bool StartEventThreadAfterLapse()
    {
        if (Volatile.Read(ref _pollers) == 0 && !_pump.WasActiveWithin(EventLapseWatch.Pause))
            TryStartEventThread();
        return HasEventThread || !_closing.IsOpen;
    }

    /// <summary>Counts the program's own loops that wait on the context's descriptors, when one begins or ends.</summary>
    internal void CountPoller(int change) => Interlocked.Add(ref _pollers, change);

    /// <summary>Reports an exception that left a callback. Called inside libusb's frames: nothing may leave this method either.</summary>
    internal void ReportCallbackException(object? source, Exception exception)
    {
        if (UnhandledCallbackException is not { } subscribers)
        {
            Keep(exception);
            return;
        }

        try
        {
            subscribers(this, new UsbUnhandledCallbackExceptionEventArgs(exception, source));
        }
        catch (Exception fromSubscriber)
        {
            Keep(new AggregateException(exception, fromSubscriber));
        }
    }

    /// <summary>Handles events once for code that waits while it closes something. Exceptions of callbacks stay queued.</summary>
    internal int PumpOnce(TimeSpan wait)
    {
        var native = new timeval(wait);
        return _pump.HandleEvents(&native, null);
    }

    /// <summary>
    /// Runs something in which libusb may handle events (a synchronous transfer): it is forbidden in callbacks, and callbacks of other transfers may run in it.
    /// </summary>
    internal CallbackScope EnterSynchronous(string operation)
    {
        CallbackScope.ThrowIfInside(_native, operation);
        return new CallbackScope(_native);
    }

    /// <summary>Runs what callbacks have put off, at the end of every call that callbacks can run in.</summary>
    internal void RunDeferred() => _pump.RunDeferred();

    /// <summary>Throws what left callbacks while no handler had subscribed.</summary>
    internal void ThrowCallbackExceptions()
    {
        if (_callbackExceptions is not { IsEmpty: false } kept)
            return;
        var exceptions = new List<Exception>();
        while (kept.TryDequeue(out Exception? exception))
            exceptions.Add(exception);
        if (exceptions.Count == 1)
            ExceptionDispatchInfo.Throw(exceptions[0]);
        if (exceptions.Count > 1)
            throw new AggregateException("Several callbacks failed.", exceptions);
    }

    private void Keep(Exception exception) =>
        (_callbackExceptions ?? Interlocked.CompareExchange(ref _callbackExceptions, new ConcurrentQueue<Exception>(), null) ?? _callbackExceptions).Enqueue(exception);

    private void Pump(TimeSpan? timeout, int* completed)
    {
        int result;
        if (timeout is { } time && time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));
            var wait = new timeval(time);
            result = _pump.HandleEvents(&wait, completed);
        }
        else
        {
            result = _pump.HandleEvents(null, completed);
        }

        ThrowCallbackExceptions();
        UsbException.ThrowIfError(result, "handle events");
    }

    private void RequireEventsWithoutThread()
    {
        if (Volatile.Read(ref _pollers) > 0 || !_closing.IsOpen)
            return;
        if (_pump.WasActiveWithin(EventLapseWatch.Pause))
        {
            _warned = false;
            if (!_isManual)
                (_lapseWatch ?? Interlocked.CompareExchange(ref _lapseWatch, new EventLapseWatch(this), null) ?? _lapseWatch).Arm();
        }
        else if (_isManual)
        {
            Warn();
        }
        else
        {
            TryStartEventThread();
        }
    }

    private void TryStartEventThread()
    {
        lock (_eventThreadChange)
        {
            if (_closing.IsOpen && !HasEventThread)
                _eventThread = new UsbEventThread(this, _pump, new UsbEventThreadOptions());
        }
    }

    // Once for each time that no thread handles events.
    private void Warn()
    {
        if (Interlocked.Exchange(ref _warned, true))
            return;
        LogDispatcher.Write(_native.Pointer, UsbLogLevel.Warning,
            "Native.LibUsb: an awaitable operation starts, and no thread handles the events of its context. It does not complete before a thread calls HandleEvents, or "
            + "StartEventThread is called (UsbContextOptions.ManualEventHandling is set).");
    }

    private void StopEventThread()
    {
        _lapseWatch?.Dispose();
        UsbEventThread? thread;
        lock (_eventThreadChange)
            thread = _eventThread;
        thread?.Dispose();
    }
}
