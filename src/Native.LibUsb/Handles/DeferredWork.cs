using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Holds the work that a callback requested and that libusb forbids in callbacks. It runs right after the call that the callback came from: one that
/// handles events, transfers synchronously, opens or closes.
/// </summary>
internal sealed class DeferredWork(ContextHandle context)
{
    // Native releases never wait. Closings wait for transfers, and must not run inside another closing of the same thread.
    private readonly ConcurrentQueue<Action> _releases = new();
    private readonly ConcurrentQueue<Action> _closings = new();

    // Counts what is in both queues, or about to be: every call that handles events reads it, and both queues are almost always empty.
    private int _count;

    public void AddRelease(Action release) => Add(_releases, release);

    public void AddClosing(Action closing) => Add(_closings, closing);

    /// <summary>Runs what may run on this thread now.</summary>
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
