using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Holds the work that a callback has requested but that libusb forbids in callbacks. The work runs right after the call in which the callback ran, such as
/// handling events, a synchronous transfer, opening or closing.
/// </summary>
internal sealed class DeferredWork(ContextHandle context)
{
    // Releases of native objects do not wait. Closings wait for transfers, and must not run inside another closing of the same thread.
    private readonly ConcurrentQueue<Action> _releases = new();
    private readonly ConcurrentQueue<Action> _closings = new();

    // The number of entries in both queues, including those that are about to be added. Every call that handles events reads this field, and both queues are
    // almost always empty.
    private int _count;

    public void AddRelease(Action release) => Add(_releases, release);

    public void AddClosing(Action closing) => Add(_closings, closing);

    /// <summary>Runs the work that may run on this thread now.</summary>
    public void Run()
    {
        if (Volatile.Read(ref _count) == 0 || CallbackScope.IsInside(context))
            return;
        RunAll(_releases);
        if (!ClosingScope.IsInside(context))
            RunAll(_closings);
    }

    private void Add(ConcurrentQueue<Action> queue, Action work)
    {
        Interlocked.Increment(ref _count);
        queue.Enqueue(work);
    }

    private void RunAll(ConcurrentQueue<Action> queue)
    {
        while (queue.TryDequeue(out Action? work))
        {
            Interlocked.Decrement(ref _count);
            work();
        }
    }
}
