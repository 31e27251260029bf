using System.Collections.Concurrent;

namespace Native.LibUsb;

/// <summary>
/// Holds the work that a callback asked for and that libusb forbids in callbacks. It runs right after the call that the callback came from: one that
/// handles events, transfers synchronously, opens or closes.
/// </summary>
internal sealed class DeferredWork(ContextHandle context)
{
    // Native releases never wait. Closings wait for transfers, and must not run inside another closing of the same thread.
    private readonly ConcurrentQueue<Action> _releases = new();
    private readonly ConcurrentQueue<Action> _closings = new();

    public void AddRelease(Action release) => _releases.Enqueue(release);

    public void AddClosing(Action closing) => _closings.Enqueue(closing);

    /// <summary>Runs what may run on this thread now.</summary>
    public void Run()
    {
        if (CallbackScope.IsInside(context))
            return;
        while (_releases.TryDequeue(out Action? release))
            release();
        if (ClosingScope.IsInside(context))
            return;
        while (_closings.TryDequeue(out Action? closing))
            closing();
    }
}
