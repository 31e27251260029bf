using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Usbcap.Output;

/// <summary>
/// Standard output. On Unix with write(2) itself: .NET's console stream hides that the pipe was closed, and its file streams write at
/// positions of their own, which spoils a file that others write to as well.
/// </summary>
internal sealed unsafe partial class StandardOutputSink : CaptureSink
{
    public const string Dash = "-";

    private const int Descriptor = 1;
    private const int Interrupted = 4;

    private readonly Stream? _stream = OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : null;
    private long _length;

    public override string Name => "standard output";

    public override string? Path => null;

    public override long Length => _length;

    public override void Write(ReadOnlySpan<byte> data)
    {
        if (_stream is not null)
        {
            _stream.Write(data);
            _length += data.Length;
            return;
        }

        fixed (byte* start = data)
        {
            int written = 0;
            while (written < data.Length)
            {
                nint result = WriteTo(Descriptor, start + written, data.Length - written);
                if (result < 0)
                {
                    int error = Marshal.GetLastPInvokeError();
                    if (error == Interrupted)
                        continue;
                    throw new IOException(new Win32Exception(error).Message);
                }

                written += (int)result;
                _length += result;
            }
        }
    }

    public override void Complete() => Dispose();

    public override void Dispose() => _stream?.Dispose();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteTo(int descriptor, byte* data, nint length);
}
