using System.Globalization;
using System.Text.Unicode;
using Usbcap.Capture;
using Usbcap.Output;

namespace Usbcap.Reporting;

/// <summary>Represents one line on standard error that is written over and over. Writing it allocates nothing.</summary>
internal sealed class ProgressLine(CaptureSession session, bool enabled)
{
    public const int PeriodMilliseconds = 250;

    private readonly StandardStream _stream = StandardStream.Error();
    private readonly byte[] _buffer = new byte[256];
    private readonly bool _isochronous = session.Plan.IsIsochronous;
    private long _lastBytes;
    private TimeSpan _lastTime;

    /// <summary>Makes the runtime prepare everything that a line needs, so that nothing is allocated for one while data streams.</summary>
    public void Prepare()
    {
        const long large = 1L << 50; // numbers of one digit would leave the tables for the others unmade
        _ = Format(TimeSpan.FromDays(1), large, large, large, large);
        (_lastBytes, _lastTime) = (0, TimeSpan.Zero);
        if (enabled)
            _stream.Write("\r\e[K"u8, out _);
    }

    /// <summary>Writes the line as it is now.</summary>
    public void Write()
    {
        if (!enabled)
            return;
        CaptureCounters counters = session.Counters;
        int length = Format(session.Elapsed, Volatile.Read(ref counters.Bytes), Volatile.Read(ref counters.Packets), counters.Lost(_isochronous),
            Volatile.Read(ref counters.Errors));
        try
        {
            _stream.Write(_buffer.AsSpan(0, length), out _);
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
            _stream.Write("\r\e[K"u8, out _);
    }

    private int Format(TimeSpan now, long bytes, long packets, long lost, long errors)
    {
        long milliseconds = (long)(now - _lastTime).TotalMilliseconds;
        long rate = milliseconds > 0 ? (bytes - _lastBytes) / milliseconds : 0; // kB/s; whole numbers: formatting others may allocate
        long tenths = (long)(now.TotalMilliseconds / 100);
        _lastBytes = bytes;
        _lastTime = now;
        bool fits = Utf8.TryWrite(_buffer, CultureInfo.InvariantCulture,
            $"\r{tenths / 10}.{tenths % 10} s  {rate / 1000}.{rate % 1000:D3} MB/s  {packets} packets  {bytes / 1_000_000} MB  lost {lost}  errors {errors}\e[K",
            out int length);
        return fits ? length : 0;
    }
}
