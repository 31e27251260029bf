using System.Diagnostics;

namespace Usbcap.Output;

/// <summary>Collects small pieces of data into blocks, so that each write is large.</summary>
internal sealed class OutputBlock(CaptureSink sink)
{
    private const int Size = 256 * 1024;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
    private int _length;
    private long _since;

    /// <summary>Gets how long the oldest byte has waited, or zero if the block is empty.</summary>
    public TimeSpan Age => _length == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_since);

    /// <summary>Adds bytes and writes each full block.</summary>
    /// <exception cref="IOException">A block could not be written.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_length == 0)
                _since = Stopwatch.GetTimestamp();
            int part = Math.Min(bytes.Length, Size - _length);
            bytes[..part].CopyTo(_bytes.AsSpan(_length));
            _length += part;
            bytes = bytes[part..];
            if (_length == Size)
                Flush();
        }
    }

    /// <summary>Writes the bytes that have been collected.</summary>
    /// <exception cref="IOException">The bytes could not be written.</exception>
    public void Flush()
    {
        int length = _length;
        _length = 0; // each byte is written at most once, even if the write fails
        if (length > 0)
            sink.Write(_bytes.AsSpan(0, length));
    }
}
