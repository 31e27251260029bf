namespace Native.LibUsb;

/// <summary>
/// Represents whether a context, device handle or interface is open, closing or closed. All code that checks whether such an object is closed uses this class.
/// </summary>
/// <remarks>
/// The states are Open, Closing (no new work is accepted) and Closed (nothing is left to close), in this order. One caller begins the closing, and the same
/// caller or another caller finishes the closing. All other callers may wait until the closing has ended.
/// </remarks>
internal sealed class CloseState
{
    private const int Open = 0;
    private const int Closing = 1;
    private const int Closed = 2;

    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _begin = new();
    private int _stage;
    private int _finisher; // the ID of the managed thread that finishes the closing; 0 if no thread has begun to finish it

    /// <summary>Gets whether new work is accepted.</summary>
    public bool IsOpen => Volatile.Read(ref _stage) == Open;

    /// <summary>Gets whether nothing is left to close.</summary>
    public bool IsClosed => Volatile.Read(ref _stage) == Closed;

    /// <summary>Gets whether the calling thread is beginning or finishing the closing. Such a thread must not wait for the end of the closing.</summary>
    public bool IsFinishedByThisThread => _begin.IsHeldByCurrentThread || Volatile.Read(ref _finisher) == Environment.CurrentManagedThreadId;

    /// <summary>Gets a task that completes when the closing has ended.</summary>
    public Task Completion => _completed.Task;

    /// <summary>
    /// Begins the closing: new work is no longer accepted, and <paramref name="stop"/> stops the current work. If another thread calls this method while the
    /// work is being stopped, the second call waits until the first call has stopped the work. Therefore, no thread finishes a closing that another thread is
    /// still beginning.
    /// </summary>
    /// <param name="stop">An action that stops the current work. The action must not wait for events.</param>
    /// <returns>Whether this call began the closing.</returns>
    public bool TryBegin(Action stop)
    {
        lock (_begin)
        {
            if (_stage != Open)
                return false;
            Interlocked.Exchange(ref _stage, Closing); // a full fence: a thread that adds work adds it first, and then reads _stage
            stop();
            return true;
        }
    }

    /// <summary>Registers the calling thread as the thread that finishes the closing. The thread must first call <see cref="TryBegin"/>.</summary>
    /// <returns>False if an earlier call has already registered a thread, or if this thread is still inside <see cref="TryBegin"/>.</returns>
    public bool TryBeginFinish() =>
        !_begin.IsHeldByCurrentThread && Interlocked.CompareExchange(ref _finisher, Environment.CurrentManagedThreadId, 0) == 0;

    /// <summary>Sets the state to Closed. <see cref="Complete"/> releases the waiting threads and tasks.</summary>
    public void SetClosed() => Volatile.Write(ref _stage, Closed);

    /// <summary>Sets the state to Closed, and completes <see cref="Completion"/>.</summary>
    public void Complete()
    {
        SetClosed();
        _completed.TrySetResult();
    }
}
