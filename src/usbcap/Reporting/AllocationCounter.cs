namespace Usbcap.Reporting;

/// <summary>Represents the allocations and collections between two moments, on all threads.</summary>
internal sealed class AllocationCounter
{
    private long _bytes;
    private int _collections;

    /// <summary>Gets the managed bytes allocated.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Collections of any generation.</summary>
    public int Collections { get; private set; }

    public bool HasStarted { get; private set; }

    public void Start()
    {
        _collections = GC.CollectionCount(0); // collections of older generations count for 0 too
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
