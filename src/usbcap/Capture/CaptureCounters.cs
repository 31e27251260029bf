using System.Diagnostics;
using System.Runtime.CompilerServices;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>Represents the counts of a capture. Written by the thread that writes the output, read by any.</summary>
internal sealed class CaptureCounters
{
    public const int StatusCount = 7; // UsbTransferStatus

    private StatusCounts _failed;
    private long _firstCompletion;
    private long _firstCompletionBytes;

    /// <summary>Good packets that went to the output, empty ones included.</summary>
    public long Packets;

    /// <summary>Good packets without data: the device had nothing to send.</summary>
    public long EmptyPackets;

    /// <summary>The number of bytes of data that went to the output.</summary>
    public long Bytes;

    /// <summary>The number of transfers that ended; known at the end.</summary>
    public long Transfers;

    /// <summary>Isochronous packets that came out of the ring, good or bad.</summary>
    public long Intervals;

    /// <summary>How the last packet or transfer that failed did.</summary>
    public UsbTransferStatus LastFailure;

    /// <summary>When the last data arrived, as the host saw it; 0 when none has.</summary>
    public long LastCompletion;

    /// <summary>Packets (isochronous) or transfers that failed, all statuses together.</summary>
    public long Errors;

    /// <summary>Isochronous packets that had to be thrown away because the output was too slow.</summary>
    public long Dropped;

    /// <summary>Service intervals in which no transfer was waiting for the device's packet. Reported by the ring.</summary>
    public long Missed;

    /// <summary>Gets the packets of the device that are not in the output.</summary>
    public long Lost(bool isochronous) => Volatile.Read(ref Dropped) + Volatile.Read(ref Missed) + (isochronous ? Volatile.Read(ref Errors) : 0);

    /// <summary>Failures with one status.</summary>
    public long Failed(UsbTransferStatus status) => Volatile.Read(ref _failed[(int)status]);

    /// <summary>
    /// Bytes a second between the first completion and the last, by the host's clock; 0 when there was only one. The data of the first one
    /// had moved before that time and is not counted.
    /// </summary>
    public double HostBytesPerSecond
    {
        get
        {
            double seconds = Stopwatch.GetElapsedTime(_firstCompletion, LastCompletion).TotalSeconds;
            return seconds > 0 ? (Bytes - _firstCompletionBytes) / seconds : 0;
        }
    }

    /// <summary>Notes when data arrived.</summary>
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
