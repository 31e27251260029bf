using System.Diagnostics;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>
/// Isochronous: one packet a service interval, whether anybody takes it or not. So a transfer is always submitted again at once, and what
/// the ring has no room for is thrown away and counted.
/// </summary>
internal sealed class IsochronousCapture : CaptureSession
{
    private readonly MissedIntervals _missed;
    private long _intervals;

    public IsochronousCapture(UsbDeviceHandle handle, TransferPlan plan, CaptureRequest request, BlockRing ring)
        : base(handle, plan, request, ring)
    {
        _missed = new MissedIntervals(plan.Endpoint.ServiceInterval, plan.PacketsPerTransfer);
        foreach (UsbTransfer transfer in Transfers)
        {
            transfer.SetIsochronous(plan.Endpoint.Address, plan.UnitSize);
            transfer.SetHandler<Completion>();
        }
    }

    /// <summary>Packets of the device up to now, good or bad, by which its clock is told.</summary>
    public long Intervals => Volatile.Read(ref _intervals);

    private void OnCompleted(UsbTransfer transfer)
    {
        long now = Stopwatch.GetTimestamp();
        CountTransfer();
        UsbTransferStatus status = transfer.Status;
        if (status is UsbTransferStatus.Completed or UsbTransferStatus.Cancelled)
        {
            // A cancelled transfer has the packets that arrived before; the others never had their turn and are no failures.
            bool cancelled = status == UsbTransferStatus.Cancelled;
            foreach (UsbIsoPacket packet in transfer.IterIso())
            {
                if (LimitReached)
                    break;
                if (cancelled && (packet.Status != UsbTransferStatus.Completed || packet.ActualLength == 0))
                    continue;
                Keep(packet.Data, packet.Status);
            }

            if (!cancelled)
            {
                _missed.Add(now, _intervals);
                Volatile.Write(ref Counters.Missed, _missed.Count);
                CountTime(now);
            }
        }
        else if (status == UsbTransferStatus.NoDevice)
        {
            FailDeviceGone();
        }
        else if (!IsStopping)
        {
            for (int i = 0; i < transfer.IsoPacketCount; i++)
                Keep(default, status);
        }

        SubmitAgain(transfer);
    }

    /// <summary>All transfers are at rest: the last look at the clock.</summary>
    public override void OnDrained()
    {
        _missed.Finish(LastCompletion);
        Counters.Missed = _missed.Count;
    }

    private void Keep(ReadOnlySpan<byte> data, UsbTransferStatus status)
    {
        _intervals++;
        if (status != UsbTransferStatus.Completed)
            Counters.AddFailed(status);
        bool kept = TryKeep(data, 1, status);
        if (status == UsbTransferStatus.Completed)
        {
            if (!kept)
                Counters.Dropped++;
            else if (data.IsEmpty)
                Counters.EmptyPackets++;
        }

        NextNumber++;
    }

    private readonly struct Completion : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer) => ((IsochronousCapture)transfer.State!).OnCompleted(transfer);
    }
}
