using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Handles the events of one native context, and knows whether a thread does. It does not refer to the <see cref="UsbContext"/>, so that an event thread that
/// waits in it does not keep a forgotten context alive.
/// </summary>
internal sealed unsafe class EventPump(ContextHandle native, CloseState closing)
{
    private int _threads;
    private long _lastLeft = long.MinValue / 2;

    /// <summary>Gets the native context.</summary>
    public ContextHandle Native => native;

    /// <summary>Gets whether a thread handles events at this moment.</summary>
    public bool IsActive => Volatile.Read(ref _threads) > 0;

    /// <summary>Gets whether a thread handles events, or did within the given time: programs with an event loop of their own leave it for moments.</summary>
    public bool WasActiveWithin(TimeSpan time) => IsActive || Environment.TickCount64 - Volatile.Read(ref _lastLeft) < (long)time.TotalMilliseconds;

    /// <summary>Handles events once.</summary>
    /// <param name="wait">The longest wait; null is libusb's 60 seconds.</param>
    /// <param name="completed">libusb's flag, or null.</param>
    /// <returns>A negative number is an error.</returns>
    /// <exception cref="ObjectDisposedException">The context is closed.</exception>
    public int HandleEvents(timeval* wait, int* completed)
    {
        CallbackScope.ThrowIfInside(native, "handle events");
        int result;
        using (new HandleLease(native)) // the native context cannot be exited under this thread
        {
            Interlocked.Increment(ref _threads);
            try
            {
                ObjectDisposedException.ThrowIf(closing.IsClosed, typeof(UsbContext)); // another thread's lease keeps the native context; this thread must not stay
                using var scope = new CallbackScope(native);
                result = wait is null
                    ? libusb.libusb_handle_events_completed(native.Pointer, completed)
                    : libusb.libusb_handle_events_timeout_completed(native.Pointer, wait, completed);
            }
            finally
            {
                Volatile.Write(ref _lastLeft, Environment.TickCount64);
                Interlocked.Decrement(ref _threads);
            }
        }

        RunDeferred();
        return result == (int)UsbError.Interrupted ? 0 : result; // a signal: the runtime uses them for itself
    }

    /// <summary>Runs what callbacks have put off. Called at the end of every call that callbacks can run in.</summary>
    public void RunDeferred()
    {
        CallbackClock.End();
        native.Deferred.Run();
        if (closing.IsClosed)
            Interrupt(); // closing woke this thread: now the next one
    }

    /// <summary>Makes a thread that handles events return; if none does, the next one returns at once.</summary>
    public void Interrupt()
    {
        if (native.IsClosed)
            return;
        try
        {
            using var lease = new HandleLease(native);
            libusb.libusb_interrupt_event_handler(native.Pointer);
        }
        catch (ObjectDisposedException)
        {
            // closed between the look and the lease: there is no thread to interrupt
        }
    }
}
