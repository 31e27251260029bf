using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Native.LibUsb;

/// <summary>
/// A thread that handles the events of one context until it is disposed. It keeps the context open while it runs, survives signals, and
/// never keeps the process from ending. Made by <see cref="UsbContext.StartEventThread"/>.
/// </summary>
public sealed unsafe class UsbEventThread : IDisposable, IAsyncDisposable
{
    private readonly UsbContext _context;
    private readonly Thread _thread;
    private readonly ThreadScheduling _scheduling;

    // libusb's "completed" flag, which libusb reads while the thread waits: in an array that does not move.
    private readonly int[] _stopFlag = GC.AllocateArray<int>(1, pinned: true);

    internal UsbEventThread(UsbContext context, UsbEventThreadOptions options)
    {
        _context = context;
        _scheduling = new ThreadScheduling(options);
        bool required = options.Scheduling == UsbSchedulingDemand.Required;
        var scheduled = new ManualResetEventSlim(); // not disposed: the thread may still be about to leave Set
        _thread = new Thread(() => Run(scheduled, required)) { Name = options.Name, IsBackground = true };
        _thread.Start();
        scheduled.Wait();
        if (required && SchedulingFailure is { } failure)
        {
            _thread.Join();
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Whether it still handles events.</summary>
    public bool IsRunning => _thread.IsAlive && Volatile.Read(ref _stopFlag[0]) == 0;

    /// <summary>Why it gave up, when libusb could not wait for events any more; otherwise null.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The real-time priority that it has, as <see cref="UsbEventThreadOptions.RealTimePriority"/> counts; 0 is an ordinary thread.</summary>
    public int RealTimePriority => _scheduling.Priority;

    /// <summary>Why it does not have the real-time priority that was asked for; null when it has, or none was.</summary>
    public Exception? RealTimeFailure => _scheduling.PriorityFailure;

    /// <summary>The processors that it is confined to, in their order; null is all that the process has.</summary>
    public IReadOnlyList<int>? Processors => _scheduling.Processors;

    /// <summary>Why it is not confined to the processors that were asked for; null when it is, or none were.</summary>
    public Exception? AffinityFailure => _scheduling.AffinityFailure;

    private Exception? SchedulingFailure => RealTimeFailure ?? AffinityFailure;

    /// <summary>Whether the caller is this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>
    /// Stops it and waits until its last callback has returned. From a callback it stops after that callback, and this call does not wait.
    /// May be called more than once.
    /// </summary>
    public void Dispose()
    {
        Stop();
        if (!IsCurrent)
            _thread.Join();
    }

    /// <summary>As <see cref="Dispose"/>, but the waiting is done on the thread pool.</summary>
    /// <returns>Ends when its last callback has returned.</returns>
    public ValueTask DisposeAsync()
    {
        Stop();
        return new ValueTask(Task.Run(_thread.Join));
    }

    private void Stop()
    {
        LogScope.ThrowIfInside();
        Volatile.Write(ref _stopFlag[0], 1);
        _context.InterruptEventHandlers(); // sticky: if the thread is not waiting yet, it will not begin to
    }

    private void Run(ManualResetEventSlim scheduled, bool required)
    {
        _scheduling.Apply();
        scheduled.Set();
        if (!required || SchedulingFailure is null)
            HandleEvents();
    }

    private void HandleEvents()
    {
        while (Volatile.Read(ref _stopFlag[0]) == 0)
        {
            int result;
            try
            {
                result = _context.Pump(null, (int*)Unsafe.AsPointer(ref _stopFlag[0]));
            }
            catch (ObjectDisposedException)
            {
                return; // a callback disposed the context: that is a way to stop
            }

            if (result < 0)
            {
                Failure = new UsbException((UsbError)result, "handle events");
                Volatile.Write(ref _stopFlag[0], 1);
                _context.ReportCallbackException(this, Failure);
            }

            _context.ThrowCallbackExceptions(); // nobody subscribed: as on any thread, that ends the process
        }
    }
}
