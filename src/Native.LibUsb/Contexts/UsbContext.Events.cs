using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// This part handles events. Callbacks run only while a thread handles events.
public sealed unsafe partial class UsbContext
{
    private ConcurrentQueue<Exception>? _callbackExceptions; // created for the first exception, because every call that handles events reads this field
    private readonly EventPump _pump;
    private readonly bool _isManual;
    private readonly Lock _eventThreadChange = new();
    private UsbEventThread? _eventThread;
    private EventLapseWatch? _lapseWatch;
    private int _pollers; // the number of the program's own event loops that wait on the context's descriptors
    private bool _warned;

    /// <summary>
    /// Waits for events and runs their callbacks on the calling thread (<c>libusb_handle_events_timeout_completed</c>). The method returns after the first
    /// events, after another thread has handled events, after a call of <see cref="InterruptEventHandlers"/>, or when the timeout expires. A signal may also
    /// end the wait, without an error.
    /// </summary>
    /// <param name="timeout">
    /// The maximum time to wait. With zero, the method handles the events that are pending and returns. With null or <see cref="Timeout.InfiniteTimeSpan"/>,
    /// the method waits for at most 60 seconds, which is libusb's own limit.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    /// <exception cref="InvalidOperationException">The method was called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    /// <exception cref="AggregateException">
    /// Several callbacks threw exceptions, and no handler has subscribed to <see cref="UnhandledCallbackException"/>. If only one callback threw an exception,
    /// the method throws that exception unchanged.
    /// </exception>
    public void HandleEvents(TimeSpan? timeout = null) => Pump(timeout, null);

    /// <summary>
    /// Handles events as <see cref="HandleEvents"/> does, and also returns as soon as the flag <paramref name="completed"/> is not 0. Set the flag only in a
    /// callback, which may run on any thread. If other code sets the flag, the method may return up to 60 seconds later.
    /// </summary>
    /// <param name="completed">The flag. Its memory must not move: use a local variable, a field of a pinned object, or native memory.</param>
    /// <param name="timeout">The maximum time to wait, as in <see cref="HandleEvents"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    /// <exception cref="InvalidOperationException">The method was called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb failed to wait.</exception>
    public void HandleEventsUntil(ref int completed, TimeSpan? timeout = null)
    {
        fixed (int* flag = &completed)
            Pump(timeout, flag);
    }

    /// <summary>
    /// Ends the wait of a thread that waits for events (<c>libusb_interrupt_event_handler</c>). If no thread waits, the next call that would wait returns at
    /// once. A program can therefore stop an event-handling thread without a race: the program sets a stop flag, calls this method, and joins the thread.
    /// </summary>
    public void InterruptEventHandlers() => _pump.Interrupt();

    /// <summary>
    /// Starts a thread that handles this context's events until the thread or the context is disposed. Callbacks then run on the event thread. While another
    /// thread makes a synchronous transfer, callbacks may run on this other thread, too. If an awaitable operation starts while no thread handles events, the
    /// context starts an event thread by itself. To choose the options of the thread, call this method before the first awaitable operation.
    /// </summary>
    /// <remarks>
    /// If a callback on the event thread throws an exception and no handler has subscribed to <see cref="UnhandledCallbackException"/>, the exception ends the
    /// process.
    /// </remarks>
    /// <param name="options">The name, the priority and the processors of the thread. With null, the method starts an ordinary thread.</param>
    /// <returns>The running thread. If the operating system refused the requested scheduling, <see cref="UsbEventThread.RealTimeFailure"/> and
    /// <see cref="UsbEventThread.AffinityFailure"/> contain the reason.</returns>
    /// <exception cref="ArgumentException">The list of processors is empty, the list contains a processor that the machine does not have, or the priority is
    /// out of range.</exception>
    /// <exception cref="UnauthorizedAccessException">The scheduling is <see cref="UsbSchedulingDemand.Required"/>, and the operating system does not permit it.
    /// The message explains how to permit it.</exception>
    /// <exception cref="PlatformNotSupportedException">The scheduling is required, and this operating system does not support it.</exception>
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

    /// <summary>Gets the event thread that was started last; null if no thread was started.</summary>
    internal UsbEventThread? EventThread => Volatile.Read(ref _eventThread);

    /// <summary>Gets whether an event thread runs.</summary>
    internal bool HasEventThread => EventThread is { IsRunning: true };

    /// <summary>Gets whether the context has a running event thread that is not the calling thread. If the value is true, callbacks run on this event
    /// thread.</summary>
    internal bool IsPumpedElsewhere => EventThread is { IsRunning: true, IsCurrent: false };

    /// <summary>Gets whether an awaitable operation waits for events.</summary>
    internal bool HasAwaiters => _hotplug.HasWatchers || _handles.Snapshot().Exists(static handle => handle.HasAwaiters);

    /// <summary>Prepares an awaitable operation. If no thread handles events, this method starts the event thread. In manual mode, it logs a warning
    /// instead.</summary>
    internal void RequireEvents()
    {
        if (!HasEventThread)
            RequireEventsWithoutThread();
    }

    /// <summary>Starts the event thread if no event loop of the program waits on the context's file descriptors, and if no thread has handled events for at
    /// least <see cref="EventLapseWatch.Pause"/>.</summary>
    /// <returns>True if the watch can stop, because an event thread runs or the context is closing.</returns>
    internal bool StartEventThreadAfterLapse()
    {
        if (Volatile.Read(ref _pollers) == 0 && !_pump.WasActiveWithin(EventLapseWatch.Pause))
            TryStartEventThread();
        return HasEventThread || !_closing.IsOpen;
    }

    /// <summary>
    /// Counts the program's own event loops that wait on the context's file descriptors. Pass 1 when a loop begins, and -1 when a loop ends.
    /// </summary>
    internal void CountPoller(int change) => Interlocked.Add(ref _pollers, change);

    /// <summary>
    /// Reports an exception that left a callback. This method must not throw an exception, because the exception would pass through libusb's stack frames.
    /// </summary>
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

    /// <summary>
    /// Handles events once, for code that waits for the transfers of a closing object. Unlike <see cref="HandleEvents"/>, this method leaves the exceptions of
    /// callbacks in the queue.
    /// </summary>
    internal int PumpOnce(TimeSpan wait)
    {
        var native = new timeval(wait);
        return _pump.HandleEvents(&native, null);
    }

    /// <summary>
    /// Begins an operation in which libusb may handle events, such as a synchronous transfer. Callbacks of other transfers may run during such an operation. A
    /// callback itself must not begin such an operation.
    /// </summary>
    internal CallbackScope EnterSynchronous(string operation)
    {
        CallbackScope.ThrowIfInside(_native, operation);
        return new CallbackScope(_native);
    }

    /// <summary>Runs the work that callbacks have deferred. Every method in which callbacks can run calls this method at its end.</summary>
    internal void RunDeferred() => _pump.RunDeferred();

    /// <summary>Throws the queued exceptions of callbacks. If <see cref="UnhandledCallbackException"/> has no subscriber, the context queues the
    /// exceptions.</summary>
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

    // Logs one warning for each period in which no thread handles events.
    private void Warn()
    {
        if (Interlocked.Exchange(ref _warned, true))
            return;
        LogDispatcher.Write(_native.Pointer, UsbLogLevel.Warning,
            "Native.LibUsb: an awaitable operation starts, and no thread handles the events of its context. The operation does not complete before the program calls "
            + "HandleEvents or StartEventThread, because UsbContextOptions.ManualEventHandling is set.");
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
