namespace Native.LibUsb;

/// <summary>
/// Represents whether a context, device handle or interface is open, closing or closed. All code that checks whether such an object is closed uses this class.
/// </summary>
/// <remarks>
/// The states are Open, Closing (no new work is accepted) and Closed (nothing is left to close), in this order. One thread begins to close the object, and the
/// same thread or another thread finishes closing it. All other threads can wait until the object is closed.
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

    /// <summary>
    /// Gets whether the calling thread is inside <see cref="TryBegin"/>, or is the thread that finishes closing the object. Such a thread must not wait until
    /// the object is closed.
    /// </summary>
    public bool IsFinishedByThisThread => _begin.IsHeldByCurrentThread || Volatile.Read(ref _finisher) == Environment.CurrentManagedThreadId;

    /// <summary>Gets a task that completes when the closing has ended.</summary>
    public Task Completion => _completed.Task;

    /// <summary>
    /// Begins to close the object: the object accepts no new work, and <paramref name="stop"/> stops the current work. If another thread is already running its
    /// stop action, the method waits until that thread has stopped the work. Therefore, no thread finishes closing the object before the work is stopped.
    /// </summary>
    /// <param name="stop">An action that stops the current work. The action must not wait for events.</param>
    /// <returns>True if this call began to close the object; false if an earlier call did.</returns>
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

    /// <summary>Registers the calling thread as the thread that finishes closing the object. The thread must first call <see cref="TryBegin"/>.</summary>
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
