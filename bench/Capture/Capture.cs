namespace Native.LibUsb.Bench;

/// <summary>Represents one thread of a run, with its context and its devices.</summary>
internal abstract class Capture : IDisposable
{
    // The counts of the callbacks. An object, because that is what the facade's State holds.
    protected readonly Counts Counts = new();

    protected Capture(Work work) => Work = work;

    public Work Work { get; }

    public Counts Results => Counts;

    /// <summary>Nanoseconds of this thread's processor time in the last slice.</summary>
    public long Processor { get; private set; }

    /// <summary>Bytes that this thread allocated in the last slice.</summary>
    public long Allocated { get; private set; }

    /// <summary>Opens the devices of this thread: of those that match, the ones whose index leaves the remainder <paramref name="first"/> when it is divided
    /// by the contexts.</summary>
    public abstract void Open(int first);

    /// <summary>Makes the transfers and submits them.</summary>
    public abstract void Start();

    /// <summary>Makes so many transfers.</summary>
    public void Slice(long transfers)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread(), processor = Clock.Now(Clock.Thread);
        RunUntil(Counts.Completed + transfers);
        Processor = Clock.Now(Clock.Thread) - processor;
        Allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    /// <summary>Brings the transfers to rest and frees them.</summary>
    public abstract void Stop();

    /// <summary>Releases and closes what <see cref="Open"/> opened.</summary>
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
