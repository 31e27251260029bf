using System.Buffers;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents caller-supplied memory that counts its pins.</summary>
internal sealed unsafe class CountedMemory(int length) : MemoryManager<byte>
{
    private byte* _start = (byte*)NativeMemory.AllocZeroed((nuint)length);
    private int _pins;

    /// <summary>Gets the number of pins that are not released.</summary>
    public int Pins => Volatile.Read(ref _pins);

    /// <summary>Gets or sets an action that runs on the pinning thread before the pin is counted.</summary>
    public Action? Pinning { get; set; }

    /// <summary>Gets or sets an action that runs on the unpinning thread before the number of pins decreases.</summary>
    public Action? Unpinning { get; set; }

    /// <summary>Gets or sets the exception that <see cref="GetSpan"/> throws; null if it throws none.</summary>
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
