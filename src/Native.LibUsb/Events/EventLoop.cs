using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>Runs on an event thread until it is stopped or the context is closed. It refers to the context weakly: see <see cref="EventPump"/>.</summary>
internal sealed unsafe class EventLoop
{
    private readonly EventPump _pump;
    private readonly WeakReference<UsbContext> _context;
    private readonly ThreadScheduling _scheduling;
    private readonly bool _schedulingIsRequired;

    // libusb's "completed" flag, which libusb reads while the thread waits: in an array that does not move.
    private readonly int[] _stopFlag = GC.AllocateArray<int>(1, pinned: true);

    public EventLoop(EventPump pump, UsbContext context, ThreadScheduling scheduling, bool schedulingIsRequired)
    {
        _pump = pump;
        _context = new WeakReference<UsbContext>(context);
        _scheduling = scheduling;
        _schedulingIsRequired = schedulingIsRequired;
    }

    /// <summary>Gets whether it was stopped, or gave up.</summary>
    public bool IsStopped => Volatile.Read(ref _stopFlag[0]) != 0;

    /// <summary>Gets the reason why it gave up; null if it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Gets an event that is set when the thread has its scheduling, or has failed to get it. Not disposed: the thread may still be about to leave
    /// Set.</summary>
    public ManualResetEventSlim Scheduled { get; } = new();

    /// <summary>Ends it after the callback that runs, if any.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopFlag[0], 1);
        _pump.Interrupt(); // sticky: if the thread is not waiting yet, it will not begin to
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

    // Not inlined: the reference to the context must not stay on the stack while the thread waits.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Report(int result)
    {
        if (!_context.TryGetTarget(out UsbContext? context))
            return false; // forgotten
        if (result < 0)
        {
            Failure = new UsbException((UsbError)result, "handle events");
            context.ReportCallbackException(context.EventThread, Failure);
        }

        context.ThrowCallbackExceptions(); // without a subscriber, an exception of a callback ends the process as it does on any thread
        return result >= 0;
    }
}
