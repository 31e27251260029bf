namespace Native.LibUsb.Bench;

/// <summary>Represents a growing number. One thread can wait until the number reaches a value. The methods allocate no memory.</summary>
#pragma warning disable CA1001 // the event lives as long as the program
internal sealed class Milestone
#pragma warning restore CA1001
{
    private readonly AutoResetEvent _reached = new(false);
    private long _value;
    private long _awaited = long.MaxValue;

    public long Value => Volatile.Read(ref _value);

    public void Raise(long value)
    {
        Volatile.Write(ref _value, value);
        Interlocked.MemoryBarrier(); // the waiting thread first writes the awaited value and then reads the current value
        if (value >= Volatile.Read(ref _awaited))
        {
            Volatile.Write(ref _awaited, long.MaxValue);
            _reached.Set();
        }
    }

    public void WaitFor(long value)
    {
        Volatile.Write(ref _awaited, value);
        Interlocked.MemoryBarrier();
        while (Value < value)
            _reached.WaitOne();
    }
}
