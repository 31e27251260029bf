namespace Native.LibUsb.Tests;

/// <summary>Makes two threads start a step at almost the same time. Unlike a barrier, it does not put a thread to sleep.</summary>
internal sealed class MeetingPoint
{
    private readonly int[] _reached = [-1, -1];

    /// <summary>Waits until the other thread has reached the same step or a later one.</summary>
    /// <param name="thread">The number of the calling thread, 0 or 1.</param>
    /// <param name="step">The number of the step. Each thread increases it from call to call.</param>
    public void Meet(int thread, int step)
    {
        Volatile.Write(ref _reached[thread], step);
        var spin = new SpinWait();
        while (Volatile.Read(ref _reached[1 - thread]) < step)
            spin.SpinOnce(sleep1Threshold: -1);
    }
}
