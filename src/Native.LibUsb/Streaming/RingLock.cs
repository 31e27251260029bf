using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the lock of a ring.</summary>
/// <remarks>
/// <para>The lock has these rules:</para>
/// <list type="number">
/// <item>A thread holds the lock only for a few instructions. No system call, no libusb call and no code of the program runs under the lock. A real-time thread
/// that needs the lock therefore waits only until another thread has executed these instructions.</item>
/// <item>The lock protects the queue, the run state and the counters. There is one exception: while the fast path is active, the thread that handles events
/// changes the queue and the counters without the lock, and all other threads change only the run state.</item>
/// <item>One thread at a time submits transfers, in the order of their sequence numbers. If a thread has transfers to submit while another thread is
/// submitting, the other thread submits these transfers too.</item>
/// <item>A thread that stops the ring writes the run state, issues a process-wide memory barrier, and then cancels every transfer. A thread that submits a
/// transfer reads the run state after the submission. If the ring is being stopped, the submitting thread cancels the transfer. At least one of the two threads
/// therefore cancels the transfer.</item>
/// <item>A method whose name ends in <c>Locked</c> is called with the lock held, and returns with the lock held.</item>
/// </list>
/// <para>The lock is not a monitor, because a monitor allocates memory when threads contend for it. A thread that waits for the lock first spins, and later
/// sleeps briefly between its attempts. During a sleep, the thread that holds the lock can run and release the lock, even if it has a lower priority and runs
/// on the same processor.</para>
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
