namespace Native.LibUsb.Bench;

/// <summary>Runs slices: the first capture on the calling thread, each other one on a thread of its own.</summary>
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

    /// <summary>Returns a slice of every capture.</summary>
    /// <param name="transfers">How many each makes.</param>
    /// <returns>Nanoseconds of the processor, and by the clock.</returns>
    public (long Processor, long Wall) Slice(long transfers)
    {
        _transfers = transfers;
        _begins.SignalAndWait();
        long wall = Clock.Now(Clock.Wall), whole = Clock.Now(Clock.Process);
        _captures[0].Slice(transfers);
        whole = Clock.Now(Clock.Process) - whole;
        _ends.SignalAndWait();
        wall = Clock.Now(Clock.Wall) - wall;
        // With one context, all that the runtime does in the meantime on threads of its own counts. Threads that wait for each other spend time too, and
        // that is not what is measured.
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
