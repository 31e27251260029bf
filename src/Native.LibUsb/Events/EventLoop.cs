using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Handles events on an event thread until the loop is stopped or the context is closed. The loop has only a weak reference to the context, so a waiting
/// thread does not keep the context alive (see <see cref="EventPump"/>).
/// </summary>
internal sealed unsafe class EventLoop
{
    private readonly EventPump _pump;
    private readonly WeakReference<UsbContext> _context;
    private readonly ThreadScheduling _scheduling;
    private readonly bool _schedulingIsRequired;

    // The "completed" flag that libusb reads while the thread waits. The array is pinned, so that the flag does not move.
    private readonly int[] _stopFlag = GC.AllocateArray<int>(1, pinned: true);

    public EventLoop(EventPump pump, UsbContext context, ThreadScheduling scheduling, bool schedulingIsRequired)
    {
        _pump = pump;
        _context = new WeakReference<UsbContext>(context);
        _scheduling = scheduling;
        _schedulingIsRequired = schedulingIsRequired;
    }

    /// <summary>Gets whether the loop was stopped or has ended by itself.</summary>
    public bool IsStopped => Volatile.Read(ref _stopFlag[0]) != 0;

    /// <summary>Gets the error that ended the loop; null if there was none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>
    /// Gets the signal that the event thread sets after it has tried to apply its scheduling. The thread that starts the event thread waits for this signal.
    /// The signal is never disposed, because the waiting thread may continue while the event thread still executes <see cref="ManualResetEventSlim.Set"/>.
    /// </summary>
    public ManualResetEventSlim Scheduled { get; } = new();

    /// <summary>Ends the loop. If a callback is running, the loop ends after that callback.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopFlag[0], 1);
        _pump.Interrupt(); // if the thread does not wait yet, its next wait returns immediately
    }

    /// <summary>Runs the thread's body.</summary>
    public void Run()
    {
        _scheduling.Apply();
        Scheduled.Set();
        if (_schedulingIsRequired && (_scheduling.PriorityFailure ?? _scheduling.AffinityFailure) is not null)
            return;
        while (!IsStopped && HandleEvents())
        {
        }

        Volatile.Write(ref _stopFlag[0], 1);
    }

    private bool HandleEvents()
    {
        int result;
        try
        {
            result = _pump.HandleEvents(null, (int*)Unsafe.AsPointer(ref _stopFlag[0]));
        }
        catch (ObjectDisposedException)
        {
            return false; // the context is closed
        }

        return Report(result);
    }

    // This method is not inlined, so that no reference to the context stays on the stack while the thread waits.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Report(int result)
    {
        if (!_context.TryGetTarget(out UsbContext? context))
            return false; // the program has dropped the context
        if (result < 0)
        {
            Failure = new UsbException((UsbError)result, "handle events");
            context.ReportCallbackException(context.EventThread, Failure);
        }

        context.ThrowCallbackExceptions(); // without a subscriber, an exception of a callback ends the process as it does on any thread
        return result >= 0;
    }
}
