namespace Usbcap.Output;

/// <summary>Represents standard output.</summary>
internal sealed class StandardOutputSink : CaptureSink
{
    public const string Dash = "-";

    private readonly StandardStream _stream = StandardStream.Output();
    private long _length;

    public override string Name => "standard output";

    public override string? Path => null;

    public override long Length => _length;

    public override void Write(ReadOnlySpan<byte> data)
    {
        int written = 0;
        try
        {
            _stream.Write(data, out written);
        }
        finally
        {
            _length += written;
        }
    }

    public override void Complete() => Dispose();

    public override void Dispose() => _stream.Dispose();
}
