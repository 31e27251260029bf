namespace Native.LibUsb.Bench;

/// <summary>
/// Runs slices. In a slice, every capture completes a given number of transfers. The first capture runs on the calling thread, and every other capture runs on
/// its own thread.
/// </summary>
internal sealed class SliceThreads : IDisposable
{
    private readonly Capture[] _captures;
    private readonly Thread[] _threads;
    private readonly Barrier _begins, _ends;
    private long _transfers;
    private bool _ended;

    public SliceThreads(Capture[] captures)
    {
        _captures = captures;
        _begins = new Barrier(captures.Length);
        _ends = new Barrier(captures.Length);
        _threads = [.. captures.Skip(1).Select(capture => new Thread(() => Run(capture)))];
        foreach (Thread thread in _threads)
            thread.Start();
    }

    /// <summary>Runs one slice of every capture.</summary>
    /// <param name="transfers">The number of transfers that each capture completes.</param>
    /// <returns>The processor time and the elapsed time, in nanoseconds.</returns>
    public (long Processor, long Wall) Slice(long transfers)
    {
        _transfers = transfers;
        _begins.SignalAndWait();
        long wall = Clock.Now(Clock.Wall), whole = Clock.Now(Clock.Process);
        _captures[0].Slice(transfers);
        whole = Clock.Now(Clock.Process) - whole;
        _ends.SignalAndWait();
        wall = Clock.Now(Clock.Wall) - wall;
        // With one context, the result is the processor time of the whole process, including the runtime's own threads. With several contexts, the result is
        // the sum of the processor times that the threads use in their slices. A thread that waits at a barrier spins for a short time, and the processor time
        // of the process would include this spinning.
        return (_captures.Length == 1 ? whole : _captures.Sum(capture => capture.Processor), wall);
    }

    public void Dispose()
    {
        _ended = true;
        _begins.SignalAndWait();
        foreach (Thread thread in _threads)
            thread.Join();
        _begins.Dispose();
        _ends.Dispose();
    }

    private void Run(Capture capture)
    {
        while (true)
        {
            _begins.SignalAndWait();
            if (_ended)
                return;
            capture.Slice(_transfers);
            _ends.SignalAndWait();
        }
    }
}
