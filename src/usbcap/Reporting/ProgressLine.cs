using System.Globalization;
using System.Text.Unicode;
using Usbcap.Capture;

namespace Usbcap.Reporting;

/// <summary>One line on standard error that is written over and over. Writing it allocates nothing.</summary>
internal sealed class ProgressLine(CaptureSession session, bool enabled)
{
    public const int PeriodMilliseconds = 250;

    private readonly Stream _stream = Console.OpenStandardError();
    private readonly byte[] _buffer = new byte[256];
    private readonly bool _isochronous = session.Plan.Endpoint.Kind == TransferKind.Isochronous;
    private long _lastBytes;
    private TimeSpan _lastTime;

    /// <summary>Makes the runtime prepare everything that a line needs, so that nothing is allocated for one while data streams.</summary>
    public void Prepare()
    {
        _ = Format(TimeSpan.FromSeconds(1));
        _lastTime = TimeSpan.Zero;
        if (enabled)
            _stream.Write("\r\e[K"u8);
    }

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
        long milliseconds = (long)(now - _lastTime).TotalMilliseconds;
        long rate = milliseconds > 0 ? (bytes - _lastBytes) / milliseconds : 0; // kB/s; whole numbers: formatting others may allocate
        long tenths = (long)(now.TotalMilliseconds / 100);
        _lastBytes = bytes;
        _lastTime = now;
        bool fits = Utf8.TryWrite(_buffer, CultureInfo.InvariantCulture,
            $"\r{tenths / 10}.{tenths % 10} s  {rate / 1000}.{rate % 1000:D3} MB/s  {Volatile.Read(ref counters.Packets)} packets  {bytes / 1_000_000} MB  " +
            $"lost {counters.Lost(_isochronous)}  errors {Volatile.Read(ref counters.Errors)}\e[K",
            out int length);
        return fits ? length : 0;
    }
}
