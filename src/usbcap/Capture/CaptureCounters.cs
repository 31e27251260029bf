using System.Runtime.CompilerServices;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>What a capture has counted. Written by the thread that runs the callbacks, read by any.</summary>
internal sealed class CaptureCounters
{
    public const int StatusCount = 7; // UsbTransferStatus

    private StatusCounts _failed;

    /// <summary>Good packets that went to the output, empty ones included.</summary>
    public long Packets;

    /// <summary>Good packets without data: the device had nothing to send.</summary>
    public long EmptyPackets;

    /// <summary>Bytes of data that went to the output.</summary>
    public long Bytes;

    /// <summary>Transfers that ended.</summary>
    public long Transfers;

    /// <summary>Packets (isochronous) or transfers that failed, all statuses together.</summary>
    public long Errors;

    /// <summary>Good packets that had to be thrown away because the output was too slow.</summary>
    public long Dropped;

    /// <summary>Service intervals in which no transfer was waiting for the device's packet.</summary>
    public long Missed;

    /// <summary>Packets of the device that are not in the output.</summary>
    public long Lost(bool isochronous) => Volatile.Read(ref Dropped) + Volatile.Read(ref Missed) + (isochronous ? Volatile.Read(ref Errors) : 0);

    /// <summary>Failures with one status.</summary>
    public long Failed(UsbTransferStatus status) => Volatile.Read(ref _failed[(int)status]);

    public void AddFailed(UsbTransferStatus status)
    {
        Errors++;
        _failed[Math.Clamp((int)status, 0, StatusCount - 1)]++;
    }

    [InlineArray(StatusCount)]
    private struct StatusCounts
    {
        private long _first;
    }
}
