namespace Usbcap.Output;

/// <summary>Represents a device or pipe in /dev, which is written directly.</summary>
internal sealed class SpecialFileSink(string path) : CaptureSink
{
    private readonly FileStream _stream = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private long _length;

    public override string Name => path;

    public override string? Path => null;

    public override long Length => _length;

    public override void Write(ReadOnlySpan<byte> data)
    {
        _stream.Write(data);
        _length += data.Length;
    }

    public override void Complete() => Dispose();

    public override void Dispose() => _stream.Dispose();
}
