using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Usbcap.Output;

/// <summary>
/// Represents an unbuffered stream for standard output or standard error. On Unix, the class calls write(2) itself, because .NET's console stream allocates
/// memory and does not report a closed pipe. .NET's file streams are not suitable either. They write at explicit positions, so they would damage a file to
/// which other processes also write.
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

    /// <summary>Writes all of the data.</summary>
    /// <param name="data">The data.</param>
    /// <param name="written">Receives the number of bytes written, even if the method throws.</param>
    /// <exception cref="IOException">The data could not be written completely.</exception>
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
