using System.Buffers;

namespace Native.LibUsb.Streaming;

/// <summary>Represents a piece of a pipe reader's data. The data of the piece is in the memory of the ring, or has been copied into pooled memory.</summary>
internal sealed class InputSegment : ReadOnlySequenceSegment<byte>
{
    private UsbInputBuffer _loan;
    private byte[]? _copy;

    public InputSegment? NextSegment { get; private set; }

    /// <summary>Gets whether the memory belongs to the ring.</summary>
    public bool IsLoan { get; private set; }

    public int Length => Memory.Length;

    /// <summary>Takes over the bytes of a transfer.</summary>
    public void Take(in TransferBytes bytes)
    {
        _loan = bytes.Buffer;
        IsLoan = true;
        Memory = bytes.Data;
        RunningIndex = 0;
        NextSegment = null;
        Next = null;
    }

    /// <summary>Links another segment behind this segment.</summary>
    public void Append(InputSegment next)
    {
        next.RunningIndex = RunningIndex + Length;
        NextSegment = next;
        Next = next;
    }

    /// <summary>Copies the bytes into pooled memory, and returns the ring's memory to the ring. No thread may read the bytes during the call.</summary>
    public void Copy()
    {
        if (!IsLoan)
            return;
        _copy = ArrayPool<byte>.Shared.Rent(Length);
        Memory.CopyTo(_copy);
        Memory = _copy.AsMemory(0, Length);
        IsLoan = false;
        _loan.Dispose();
    }

    /// <summary>Returns the memory to the ring or to the pool.</summary>
    public void Release()
    {
        if (IsLoan)
            _loan.Dispose();
        else if (_copy is not null)
            ArrayPool<byte>.Shared.Return(_copy);
        IsLoan = false;
        _loan = default;
        _copy = null;
        Memory = default;
        Next = null;
        NextSegment = null;
    }
}
