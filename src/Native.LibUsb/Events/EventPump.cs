using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Handles the events of one native context, and records whether a thread handles events. The pump has no reference to the <see cref="UsbContext"/>. Therefore,
/// a waiting event thread does not keep the context alive if the program no longer refers to it.
/// </summary>
internal sealed unsafe class EventPump(ContextHandle native, CloseState closing)
{
    private int _threads;
    private long _lastLeft = long.MinValue / 2;

    /// <summary>Gets the native context.</summary>
    public ContextHandle Native => native;

    /// <summary>Gets whether a thread handles events at this moment.</summary>
    public bool IsActive => Volatile.Read(ref _threads) > 0;

    /// <summary>
    /// Returns whether a thread handles events now or has handled events within the given time. If the program's own event loop pauses for a shorter time
    /// between two calls of <see cref="HandleEvents"/>, the result is still true.
    /// </summary>
    public bool WasActiveWithin(TimeSpan time) => IsActive || Environment.TickCount64 - Volatile.Read(ref _lastLeft) < (long)time.TotalMilliseconds;

    /// <summary>Handles events once.</summary>
    /// <param name="wait">The longest wait; with null, libusb waits for up to 60 seconds.</param>
    /// <param name="completed">The "completed" flag for libusb, or null.</param>
    /// <returns>0, or a negative error code of libusb.</returns>
    /// <exception cref="ObjectDisposedException">The context is closed.</exception>
    public int HandleEvents(timeval* wait, int* completed)
    {
        CallbackScope.ThrowIfInside(native, "handle events");
        int result;
        using (new HandleLease(native)) // keeps the native context from being exited while this thread uses it
        {
            Interlocked.Increment(ref _threads);
            try
            {
                ObjectDisposedException.ThrowIf(closing.IsClosed, typeof(UsbContext)); // another thread may still hold the native context; this one must end
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
        return result == (int)UsbError.Interrupted ? 0 : result; // a signal is no error: the runtime itself uses signals
    }

    /// <summary>Runs the work that callbacks have deferred. If callbacks can run inside a method, that method calls this one before it returns.</summary>
    public void RunDeferred()
    {
        CallbackClock.End();
        native.Deferred.Run();
        if (closing.IsClosed)
            Interrupt(); // the closing thread has woken only one thread, so each thread wakes the next
    }

    /// <summary>Wakes a thread that is waiting for events. If no thread is waiting, the next call that would wait returns immediately.</summary>
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
            // the context was closed after the check above, so there is no thread to interrupt
        }
    }
}
