using System.Runtime.ExceptionServices;

namespace Native.LibUsb;

/// <summary>
/// Represents a thread that handles the events of one context until the thread or the context is disposed. Signals do not end the thread. The thread does not
/// keep the process running, and it does not keep the context alive: the thread ends after the program has dropped the context and all objects that belong to
/// the context. <see cref="UsbContext.StartEventThread"/> starts such a thread. The context itself also starts an event thread when an awaitable operation
/// needs events and no thread handles them.
/// </summary>
public sealed class UsbEventThread : IDisposable, IAsyncDisposable
{
    private readonly UsbContext _context;
    private readonly EventLoop _loop;
    private readonly Thread _thread;
    private readonly ThreadScheduling _scheduling;

    internal UsbEventThread(UsbContext context, EventPump pump, UsbEventThreadOptions options)
    {
        _context = context;
        _scheduling = new ThreadScheduling(options);
        bool required = options.Scheduling == UsbSchedulingDemand.Required;
        _loop = new EventLoop(pump, context, _scheduling, required);
        _thread = new Thread(_loop.Run) { Name = options.Name, IsBackground = true };
        _thread.Start();
        _loop.Scheduled.Wait();
        if (required && (RealTimeFailure ?? AffinityFailure) is { } failure)
        {
            _thread.Join();
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Ends the thread after the program has dropped the context and all objects that belong to it.</summary>
    ~UsbEventThread() => _loop?.Stop();

    /// <summary>Gets whether the thread still handles events.</summary>
    public bool IsRunning => _thread.IsAlive && !_loop.IsStopped;

    /// <summary>
    /// Gets the exception that ended the thread. The exception reports that libusb could not wait for events. The value is null if no exception ended the
    /// thread.
    /// </summary>
    public Exception? Failure => _loop.Failure;

    /// <summary>
    /// Gets the thread's real-time priority, on the scale of <see cref="UsbEventThreadOptions.RealTimePriority"/>; 0 if the thread has no real-time priority.
    /// </summary>
    public int RealTimePriority => _scheduling.Priority;

    /// <summary>
    /// Gets the reason why the thread does not have the requested real-time priority; null if the thread has this priority, or if no priority was requested.
    /// </summary>
    public Exception? RealTimeFailure => _scheduling.PriorityFailure;

    /// <summary>Gets the processors to which the thread is confined, in ascending order; null if it may use all processors of the process.</summary>
    public IReadOnlyList<int>? Processors => _scheduling.Processors;

    /// <summary>
    /// Gets the reason why the thread is not confined to the requested processors; null if the thread is confined to these processors, or if no processors were
    /// requested.
    /// </summary>
    public Exception? AffinityFailure => _scheduling.AffinityFailure;

    /// <summary>Gets whether the calling thread is this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>
    /// Stops the thread and waits until its last callback has returned. If a callback of the context calls this method, the method returns immediately, and the
    /// thread ends after the callback has returned. The method may be called more than once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The method was called from a log handler.</exception>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Stop();
        if (!IsCurrent && !CallbackScope.IsInside(_context.NativeHandle)) // the event thread may wait until this callback has returned
            _thread.Join();
    }

    /// <summary>Stops the thread without blocking the caller. A thread of the thread pool waits until the event thread's last callback has returned.</summary>
    /// <returns>A task that completes when the last callback has returned.</returns>
    /// <exception cref="InvalidOperationException">The method was called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Stop();
        return new ValueTask(Task.Run(_thread.Join));
    }

    private void Stop()
    {
        LogScope.ThrowIfInside();
        _loop.Stop();
    }
}
