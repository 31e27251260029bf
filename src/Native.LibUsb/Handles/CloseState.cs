namespace Native.LibUsb;

/// <summary>
/// Represents the way of a context, device handle or interface from open to closed. It is the only answer to "is it closed?".
/// </summary>
/// <remarks>
/// Open, then Closing (no new work is accepted), then Closed (nothing is left of it). One caller begins, one caller finishes (not necessarily the same
/// one), and every other caller may wait for the end.
/// </remarks>
internal sealed class CloseState
{
    private const int Open = 0;
    private const int Closing = 1;
    private const int Closed = 2;

    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _begin = new();
    private int _stage;
    private int _finisher; // the managed thread that finishes; 0 before any thread does

    /// <summary>Gets whether new work is accepted.</summary>
    public bool IsOpen => Volatile.Read(ref _stage) == Open;

    /// <summary>Gets whether nothing is left to close.</summary>
    public bool IsClosed => Volatile.Read(ref _stage) == Closed;

    /// <summary>Gets whether the calling thread begins or finishes the closing, so that it must not wait for the end.</summary>
    public bool IsFinishedByThisThread => _begin.IsHeldByCurrentThread || Volatile.Read(ref _finisher) == Environment.CurrentManagedThreadId;

    /// <summary>Gets a task that completes when the closing has ended.</summary>
    public Task Completion => _completed.Task;

    /// <summary>
    /// Accepts no new work from here on, and stops what is under way. When it returns, that is done, regardless of which call did it: no thread finishes a
    /// closing that another
    /// thread is still beginning.
    /// </summary>
    /// <param name="stop">Stops what is under way. It must not wait for events.</param>
    /// <returns>Whether this call began the closing.</returns>
    public bool TryBegin(Action stop)
    {
        lock (_begin)
        {
            if (_stage != Open)
                return false;
            Interlocked.Exchange(ref _stage, Closing); // a full fence: who adds work first adds it, and then looks here
            stop();
            return true;
        }
    }

    /// <summary>Makes the calling thread the one that finishes. It has called <see cref="TryBegin"/> before.</summary>
    /// <returns>False if another call finishes, or has finished.</returns>
    public bool TryBeginFinish() =>
        !_begin.IsHeldByCurrentThread && Interlocked.CompareExchange(ref _finisher, Environment.CurrentManagedThreadId, 0) == 0;

    /// <summary>Reports that nothing is left. <see cref="Complete"/> releases the waiters.</summary>
    public void SetClosed() => Volatile.Write(ref _stage, Closed);

    /// <summary>Releases the threads and tasks that wait for the end.</summary>
    public void Complete()
    {
        SetClosed();
        _completed.TrySetResult();
    }
}
