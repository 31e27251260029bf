using System.Runtime.ExceptionServices;

namespace Native.LibUsb;

/// <summary>
/// Represents a thread that handles the events of one context until it is disposed or the context is. It survives signals, does not keep the process from
/// ending, and does not keep a context alive that the program has forgotten. Made by <see cref="UsbContext.StartEventThread"/>, or by the context itself
/// when an awaitable operation needs it.
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

    /// <summary>Ends the thread when the program has forgotten the context and everything that belongs to it.</summary>
    ~UsbEventThread() => _loop?.Stop();

    /// <summary>Gets whether it still handles events.</summary>
    public bool IsRunning => _thread.IsAlive && !_loop.IsStopped;

    /// <summary>Gets the reason why it gave up, if libusb could not wait for events any more; otherwise null.</summary>
    public Exception? Failure => _loop.Failure;

    /// <summary>Gets the real-time priority that it has, as <see cref="UsbEventThreadOptions.RealTimePriority"/> counts; 0 is an ordinary thread.</summary>
    public int RealTimePriority => _scheduling.Priority;

    /// <summary>Gets the reason why it does not have the real-time priority that was requested; null if it has, or none was.</summary>
    public Exception? RealTimeFailure => _scheduling.PriorityFailure;

    /// <summary>Gets the processors that it is confined to, in their order; null is all that the process has.</summary>
    public IReadOnlyList<int>? Processors => _scheduling.Processors;

    /// <summary>Gets the reason why it is not confined to the processors that were requested; null if it is, or none were.</summary>
    public Exception? AffinityFailure => _scheduling.AffinityFailure;

    /// <summary>Gets whether the caller is this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>
    /// Stops it and waits until its last callback has returned. Called inside a callback of the context, it stops the thread after that callback and does not
    /// wait. May be called more than once.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Stop();
        if (!IsCurrent && !CallbackScope.IsInside(_context.NativeHandle)) // the thread may need the events that this callback delays
            _thread.Join();
    }

    /// <summary>Stops it and waits on the thread pool until its last callback has returned.</summary>
    /// <returns>Completes when its last callback has returned.</returns>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
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
