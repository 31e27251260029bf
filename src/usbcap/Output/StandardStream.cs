using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Usbcap.Output;

/// <summary>
/// Represents standard output or error, unbuffered. On Unix with write(2) itself: .NET's console stream hides that the pipe was closed and allocates,
/// and its file streams write at positions of their own, which spoils a file that others write to as well.
/// </summary>
internal sealed unsafe partial class StandardStream : IDisposable
{
    private const int OutputDescriptor = 1;
    private const int ErrorDescriptor = 2;
    private const int Interrupted = 4;

    private readonly int _descriptor;
    private readonly Stream? _stream;

    private StandardStream(int descriptor, Func<Stream> open)
    {
        _descriptor = descriptor;
        _stream = OperatingSystem.IsWindows() ? open() : null;
    }

    public static StandardStream Output() => new(OutputDescriptor, Console.OpenStandardOutput);

    public static StandardStream Error() => new(ErrorDescriptor, Console.OpenStandardError);

    /// <summary>Writes all of it.</summary>
    /// <param name="data">What to write.</param>
    /// <param name="written">Bytes that were written, also when it fails.</param>
    /// <exception cref="IOException">It could not all be written.</exception>
    public void Write(ReadOnlySpan<byte> data, out int written)
    {
        written = 0;
        if (_stream is not null)
        {
            _stream.Write(data);
            written = data.Length;
            return;
        }

        fixed (byte* start = data)
        {
            while (written < data.Length)
            {
                nint result = WriteTo(_descriptor, start + written, data.Length - written);
                if (result >= 0)
                    written += (int)result;
                else if (Marshal.GetLastPInvokeError() is not Interrupted and int error)
                    throw new IOException(new Win32Exception(error).Message);
            }
        }
    }

    public void Dispose() => _stream?.Dispose();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteTo(int descriptor, byte* data, nint length);
}
