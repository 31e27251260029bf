namespace Usbcap.Reporting;

/// <summary>Counts the allocations and garbage collections of all threads between two moments.</summary>
internal sealed class AllocationCounter
{
    private long _bytes;
    private int _collections;

    /// <summary>Gets the number of managed bytes that were allocated.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Gets the number of garbage collections of any generation.</summary>
    public int Collections { get; private set; }

    public bool HasStarted { get; private set; }

    public void Start()
    {
        _collections = GC.CollectionCount(0); // the count for generation 0 includes collections of older generations
        HasStarted = true;
        _bytes = GC.GetTotalAllocatedBytes(precise: true);
    }

    public void Stop()
    {
        if (!HasStarted)
            return;
        AllocatedBytes = GC.GetTotalAllocatedBytes(precise: true) - _bytes;
        Collections = GC.CollectionCount(0) - _collections;
    }
}
