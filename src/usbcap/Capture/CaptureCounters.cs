using System.Diagnostics;
using System.Runtime.CompilerServices;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>
/// Represents the counters of a capture. During the capture, the thread that writes the output changes all counters except <see cref="Missed"/>. The thread
/// that waits for the end of the capture changes <see cref="Missed"/>. Any thread may read the counters.
/// </summary>
internal sealed class CaptureCounters
{
    public const int StatusCount = 7; // number of values of UsbTransferStatus

    private StatusCounts _failed;
    private long _firstCompletion;
    private long _firstCompletionBytes;

    /// <summary>The number of good packets in the output, including empty packets.</summary>
    public long Packets;

    /// <summary>The number of good packets without data. The device had nothing to send in these packets.</summary>
    public long EmptyPackets;

    /// <summary>The number of data bytes in the output.</summary>
    public long Bytes;

    /// <summary>The number of transfers that ended. It is set at the end of the capture.</summary>
    public long Transfers;

    /// <summary>The number of good and bad isochronous packets that the ring returned.</summary>
    public long Intervals;

    /// <summary>The status of the last packet or transfer that failed.</summary>
    public UsbTransferStatus LastFailure;

    /// <summary>The host's time at which the last data arrived, or 0 before any data has arrived.</summary>
    public long LastCompletion;

    /// <summary>The number of failed isochronous packets or failed transfers, with any status.</summary>
    public long Errors;

    /// <summary>The number of isochronous packets that were dropped because the output was too slow.</summary>
    public long Dropped;

    /// <summary>The number of service intervals in which no transfer was in flight to receive the device's packet. The ring counts these intervals.</summary>
    public long Missed;

    /// <summary>Returns the number of the device's packets that are missing from the output.</summary>
    public long Lost(bool isochronous) => Volatile.Read(ref Dropped) + Volatile.Read(ref Missed) + (isochronous ? Volatile.Read(ref Errors) : 0);

    /// <summary>Returns the number of failures with the given status.</summary>
    public long Failed(UsbTransferStatus status) => Volatile.Read(ref _failed[(int)status]);

    /// <summary>
    /// Gets the data rate between the first and the last completion, in bytes per second, measured with the host's clock. The rate is 0 if there was only one
    /// completion. The data of the first completion does not count, because this data arrived before the measured time began.
    /// </summary>
    public double HostBytesPerSecond
    {
        get
        {
            double seconds = Stopwatch.GetElapsedTime(_firstCompletion, LastCompletion).TotalSeconds;
            return seconds > 0 ? (Bytes - _firstCompletionBytes) / seconds : 0;
        }
    }

    /// <summary>Records the time at which data arrived.</summary>
    public void CountTime(long when)
    {
        if (_firstCompletion == 0)
        {
            _firstCompletion = when;
            _firstCompletionBytes = Bytes;
        }

        LastCompletion = when;
    }

    public void AddFailed(UsbTransferStatus status)
    {
        Errors++;
        LastFailure = status;
        _failed[Math.Clamp((int)status, 0, StatusCount - 1)]++;
    }

    [InlineArray(StatusCount)]
    private struct StatusCounts
    {
        private long _first;
    }
}
