namespace Native.LibUsb.Bench;

/// <summary>Counts the data that has arrived. While several threads count, another thread can wait until a number of units has arrived.</summary>
internal sealed class Progress
{
    private readonly Milestone _reached = new();
    private long _units;
    private long _bytes;

    /// <summary>Gets the number of isochronous packets, or of transfers of other kinds.</summary>
    public long Units => Volatile.Read(ref _units);

    public long Bytes => Volatile.Read(ref _bytes);

    public void Add(int units, long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        _reached.Raise(Interlocked.Add(ref _units, units));
    }

    public void WaitFor(long units) => _reached.WaitFor(units);
}
