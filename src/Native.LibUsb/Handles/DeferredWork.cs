using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Holds work that a callback requested but that must not run in a callback. The work runs as soon as the libusb function that invoked the callback has
/// returned. libusb invokes callbacks in functions that handle events, transfer data synchronously, open a device, or close a device.
/// </summary>
internal sealed class DeferredWork(ContextHandle context)
{
    // Releases and closings have separate queues. An action that releases a native object never waits. An action that closes an object waits for transfers, and
    // must not run while the same thread is closing another object.
    private readonly ConcurrentQueue<Action> _releases = new();
    private readonly ConcurrentQueue<Action> _closings = new();

    // The number of entries in both queues, including entries that are about to be added. Both queues are almost always empty, so a call that handles events
    // usually reads only this field.
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
