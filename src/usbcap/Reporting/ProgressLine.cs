using System.Globalization;
using System.Text.Unicode;
using Usbcap.Capture;

namespace Usbcap.Reporting;

/// <summary>One line on standard error that is written over and over. Writing it allocates nothing.</summary>
internal sealed class ProgressLine(CaptureSession session, bool enabled)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly Stream _stream = Console.OpenStandardError();
    private readonly byte[] _buffer = new byte[256];
    private readonly bool _isochronous = session.Plan.Endpoint.Kind == TransferKind.Isochronous;
    private long _lastBytes;
    private TimeSpan _lastTime;

    /// <summary>Makes the runtime prepare everything that the first line needs.</summary>
    public void Prepare() => _ = Format(TimeSpan.Zero);

    /// <summary>Writes the line as it is now.</summary>
    public void Write()
    {
        if (!enabled)
            return;
        int length = Format(session.Elapsed);
        try
        {
            _stream.Write(_buffer.AsSpan(0, length));
        }
        catch (IOException)
        {
            enabled = false; // the terminal is gone: the capture is not
        }
    }

    /// <summary>Takes the line away.</summary>
    public void Clear()
    {
        if (enabled && _lastTime > TimeSpan.Zero)
            _stream.Write("\r\e[K"u8);
    }

    private int Format(TimeSpan now)
    {
        CaptureCounters counters = session.Counters;
        long bytes = Volatile.Read(ref counters.Bytes);
        double seconds = (now - _lastTime).TotalSeconds;
        double rate = seconds > 0 ? (bytes - _lastBytes) / seconds / 1e6 : 0;
        _lastBytes = bytes;
        _lastTime = now;
        bool fits = Utf8.TryWrite(_buffer, CultureInfo.InvariantCulture,
            $"\r{now.TotalSeconds:F1} s  {rate:F3} MB/s  {Volatile.Read(ref counters.Packets)} packets  {bytes / 1e6:F1} MB  lost {counters.Lost(_isochronous)}  errors {Volatile.Read(ref counters.Errors)}\e[K",
            out int length);
        return fits ? length : 0;
    }
}
