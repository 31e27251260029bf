namespace Native.LibUsb.Tests;

/// <summary>Measures how many bytes of managed memory a piece of code allocates on one thread.</summary>
/// <remarks>
/// A test measures several stretches, which all run the same code. <see cref="Least"/> is the result of the stretch with the fewest bytes. Code that allocates
/// in each call does so in every stretch. In some stretches, <see cref="GC.GetAllocatedBytesForCurrentThread"/> also counts bytes that the code did not
/// allocate: when a background collection starts, the count grows by the unused rest of the thread's allocation context, up to 8 KiB. The meter ignores the
/// first stretch, because code may allocate when it runs for the first time.
/// </remarks>
internal sealed class AllocationMeter
{
    /// <summary>The number of stretches that a test measures.</summary>
    public const int Stretches = 5;

    private long _before, _sum;

    /// <summary>Gets the number of stretches that have ended.</summary>
    public int Ended { get; private set; }

    /// <summary>Gets the smallest number of bytes that a stretch allocated.</summary>
    public long Least { get; private set; } = long.MaxValue;

    /// <summary>Measures as many stretches as <see cref="Stretches"/> specifies, and returns the smallest number of bytes that a stretch allocated.</summary>
    public static long Measure(Action stretch)
    {
        var meter = new AllocationMeter();
        while (meter.Ended < Stretches)
        {
            meter.Resume();
            stretch();
            meter.Pause();
            meter.EndStretch();
        }

        return meter.Least;
    }

    /// <summary>Begins to count the bytes that the calling thread allocates.</summary>
    public void Resume() => _before = GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Stops counting. The thread must be the one that called <see cref="Resume"/>.</summary>
    public void Pause() => _sum += GC.GetAllocatedBytesForCurrentThread() - _before;

    /// <summary>Ends a stretch. The next bytes belong to the next stretch.</summary>
    public void EndStretch()
    {
        if (Ended++ > 0)
            Least = Math.Min(Least, _sum);
        _sum = 0;
    }
}
