using System.Buffers;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Memory of a caller's that knows how often it is pinned.</summary>
internal sealed unsafe class CountedMemory(int length) : MemoryManager<byte>
{
    private byte* _start = (byte*)NativeMemory.AllocZeroed((nuint)length);
    private int _pins;

    /// <summary>Gets how many have it pinned now.</summary>
    public int Pins => Volatile.Read(ref _pins);

    /// <summary>Called when one pins it, on the thread that does.</summary>
    public Action? Pinning { get; set; }

    /// <summary>Called when one lets go, on the thread that does, before it counts.</summary>
    public Action? Unpinning { get; set; }

    /// <summary>Gets or sets what requesting the bytes throws; null gives them.</summary>
    public Exception? SpanFailure { get; set; }

    public override Span<byte> GetSpan() => SpanFailure is null ? new Span<byte>(_start, length) : throw SpanFailure;

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        Pinning?.Invoke();
        Interlocked.Increment(ref _pins);
        return new MemoryHandle(_start + elementIndex, pinnable: this);
    }

    public override void Unpin()
    {
        Unpinning?.Invoke();
        Interlocked.Decrement(ref _pins);
    }

    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(_start);
        _start = null;
    }
}
