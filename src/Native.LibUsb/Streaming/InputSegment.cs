using System.Buffers;

namespace Native.LibUsb.Streaming;

/// <summary>Represents a piece of the data of a pipe reader: on loan from the ring, or copied into pooled memory.</summary>
internal sealed class InputSegment : ReadOnlySequenceSegment<byte>
{
    private UsbInputBuffer _loan;
    private byte[]? _copy;

    public InputSegment? NextSegment { get; private set; }

    /// <summary>Gets whether it is memory of the ring.</summary>
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

    /// <summary>Puts another one behind it.</summary>
    public void Append(InputSegment next)
    {
        next.RunningIndex = RunningIndex + Length;
        NextSegment = next;
        Next = next;
    }

    /// <summary>Gives the ring its memory back, and keeps the bytes. No thread may be looking at them.</summary>
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

    /// <summary>Gives everything back.</summary>
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
