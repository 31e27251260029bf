namespace Native.LibUsb.Bench;

/// <summary>Represents one thread of a run, with its context and its devices.</summary>
internal abstract class Capture : IDisposable
{
    // The counts are an object, because the callbacks of the facade get them from the State property of a transfer or ring.
    protected readonly Counts Counts = new();

    protected Capture(Work work) => Work = work;

    public Work Work { get; }

    public Counts Results => Counts;

    /// <summary>Gets the processor time of this thread in the last slice, in nanoseconds.</summary>
    public long Processor { get; private set; }

    /// <summary>Gets the number of bytes that this thread allocated in the last slice.</summary>
    public long Allocated { get; private set; }

    /// <summary>
    /// Opens the devices of this thread. A matching device belongs to this thread if its index, modulo the number of contexts, is <paramref name="first"/>.
    /// </summary>
    public abstract void Open(int first);

    /// <summary>Creates the transfers and submits them.</summary>
    public abstract void Start();

    /// <summary>Completes the given number of transfers, and measures the processor time and the allocations.</summary>
    public void Slice(long transfers)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread(), processor = Clock.Now(Clock.Thread);
        RunUntil(Counts.Completed + transfers);
        Processor = Clock.Now(Clock.Thread) - processor;
        Allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    /// <summary>Stops the transfers and frees them.</summary>
    public abstract void Stop();

    /// <summary>Releases and closes the devices that <see cref="Open"/> opened.</summary>
    public abstract void Dispose();

    protected abstract void RunUntil(long completed);
}

/// <summary>Represents the counts of a capture.</summary>
internal sealed class Counts
{
    public long Completed, Failed, Bytes, Sum;
    public int InFlight;
    public bool IsStopping;
}
