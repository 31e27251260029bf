using System.Globalization;
using System.Text.Unicode;
using Usbcap.Capture;
using Usbcap.Output;

namespace Usbcap.Reporting;

/// <summary>Represents the progress line on standard error. Each new line overwrites the previous line. Writing a line allocates no memory.</summary>
internal sealed class ProgressLine(CaptureSession session, bool enabled)
{
    public const int PeriodMilliseconds = 250;

    private readonly StandardStream _stream = StandardStream.Error();
    private readonly byte[] _buffer = new byte[256];
    private readonly bool _isochronous = session.Plan.IsIsochronous;
    private long _lastBytes;
    private TimeSpan _lastTime;

    /// <summary>
    /// Formats one line before the capture. The runtime allocates memory for this first line, and allocates none for the lines during the capture.
    /// </summary>
    public void Prepare()
    {
        const long large = 1L << 50; // large numbers make the runtime initialize its tables for numbers of several digits
        _ = Format(TimeSpan.FromDays(1), large, large, large, large);
        (_lastBytes, _lastTime) = (0, TimeSpan.Zero);
        if (enabled)
            _stream.Write("\r\e[K"u8, out _);
    }

    /// <summary>Writes the line with the current counters.</summary>
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
            enabled = false; // the terminal has been closed, but the capture continues
        }
    }

    /// <summary>Removes the line from the terminal.</summary>
    public void Clear()
    {
        if (enabled && _lastTime > TimeSpan.Zero)
            _stream.Write("\r\e[K"u8, out _);
    }

    private int Format(TimeSpan now, long bytes, long packets, long lost, long errors)
    {
        long milliseconds = (long)(now - _lastTime).TotalMilliseconds;
        long rate = milliseconds > 0 ? (bytes - _lastBytes) / milliseconds : 0; // kB/s; an integer, because formatting other numbers may allocate
        long tenths = (long)(now.TotalMilliseconds / 100);
        _lastBytes = bytes;
        _lastTime = now;
        bool fits = Utf8.TryWrite(_buffer, CultureInfo.InvariantCulture,
            $"\r{tenths / 10}.{tenths % 10} s  {rate / 1000}.{rate % 1000:D3} MB/s  {packets} packets  {bytes / 1_000_000} MB  lost {lost}  errors {errors}\e[K",
            out int length);
        return fits ? length : 0;
    }
}
