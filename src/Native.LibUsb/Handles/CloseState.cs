namespace Native.LibUsb;

/// <summary>
/// Represents the state of a context, device handle or interface from open to closed. Every check whether such an object is closed uses this state.
/// </summary>
/// <remarks>
/// The states are Open, Closing (no new work is accepted) and Closed (nothing is left to close), in this order. One caller begins the closing and one caller
/// finishes it; these may be different callers. Every other caller may wait for the end.
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

    /// <summary>Gets whether the calling thread begins or finishes the closing. Such a thread must not wait for the end.</summary>
    public bool IsFinishedByThisThread => _begin.IsHeldByCurrentThread || Volatile.Read(ref _finisher) == Environment.CurrentManagedThreadId;

    /// <summary>Gets a task that completes when the closing has ended.</summary>
    public Task Completion => _completed.Task;

    /// <summary>
    /// Begins the closing: from now on no new work is accepted, and <paramref name="stop"/> stops the current work. A second call waits until the first one
    /// has stopped the work. Therefore, no thread finishes a closing that another thread is still beginning.
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

    /// <summary>Registers the calling thread as the one that finishes the closing. The thread has called <see cref="TryBegin"/> before.</summary>
    /// <returns>False if another call finishes or has finished the closing, or if this thread is still beginning it.</returns>
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
