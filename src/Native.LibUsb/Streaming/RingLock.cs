using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the lock of a ring.</summary>
/// <remarks>
/// <para>Rules:</para>
/// <list type="number">
/// <item>The lock is held for a few instructions. No system call, no call of libusb and no code of the program runs under it, so that a thread of real-time
/// priority never waits for more than those instructions.</item>
/// <item>The lock protects the queue, the run state and the counters, except while the fast path runs: then the thread that handles events changes the queue and
/// the counters without the lock, and every other thread changes only the run state.</item>
/// <item>Transfers are submitted by one thread at a time, in the order of their sequence numbers. A thread that finds another one submitting leaves the work to
/// it.</item>
/// <item>A thread that stops the ring writes the run state, issues a process-wide memory barrier, and then cancels every transfer. A thread that submits looks at
/// the run state afterwards. One of the two cancels what was submitted.</item>
/// <item>A method whose name ends in <c>Locked</c> is called with the lock held and returns with it held.</item>
/// </list>
/// <para>It is not a monitor, which allocates when threads meet. A thread that finds it held spins, and sleeps for a moment when that does not help, so that
/// a holder of lower priority on the same processor can go on.</para>
/// </remarks>
internal struct RingLock
{
    private int _held;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (Interlocked.CompareExchange(ref _held, 1, 0) != 0)
            EnterHeld();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Volatile.Write(ref _held, 0);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterHeld()
    {
        var spin = new SpinWait();
        do
        {
            spin.SpinOnce();
        }
        while (Volatile.Read(ref _held) != 0 || Interlocked.CompareExchange(ref _held, 1, 0) != 0);
    }
}
