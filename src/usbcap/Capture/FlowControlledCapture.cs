using System.Diagnostics;
using Native.LibUsb;

namespace Usbcap.Capture;

/// <summary>
/// Bulk and interrupt: the device keeps what nobody takes. So when the ring has no room, a transfer waits with its data until there is, and
/// nothing is lost.
/// </summary>
internal sealed class FlowControlledCapture : CaptureSession
{
    // The bus has tried each of them several times already; a device that fails this often will not recover by itself.
    private const int MostFailuresInARow = 100;

    // Completed transfers whose data waits for room, in order. Written by the event thread and the writing thread, under the lock.
    private readonly UsbTransfer[] _parked;
    private SpinLock _parking = new(enableThreadOwnerTracking: false);
    private int _parkedHead;
    private int _parkedCount;
    private int _failuresInARow;

    public FlowControlledCapture(UsbDeviceHandle handle, TransferPlan plan, CaptureRequest request, BlockRing ring)
        : base(handle, plan, request, ring)
    {
        _parked = new UsbTransfer[plan.Transfers];
        foreach (UsbTransfer transfer in Transfers)
        {
            if (plan.Endpoint.Kind == TransferKind.Bulk)
                transfer.SetBulk(plan.Endpoint.Address, plan.UnitSize);
            else
                transfer.SetInterrupt(plan.Endpoint.Address, plan.UnitSize);
            transfer.SetHandler<Completion>();
        }
    }

    protected override bool HasParked => Volatile.Read(ref _parkedCount) > 0;

    /// <summary>Takes the data of waiting transfers, as far as there is room now, and submits them again.</summary>
    public override void OnRoom()
    {
        while (HasParked)
        {
            bool taken = false;
            _parking.Enter(ref taken);
            UsbTransfer transfer = _parked[_parkedHead];
            bool kept = KeepData(transfer);
            if (kept)
            {
                // In flight again before it is no longer parked: between the two the capture would seem to be at rest.
                LeaveRest();
                _parkedHead = (_parkedHead + 1) % _parked.Length;
                Volatile.Write(ref _parkedCount, _parkedCount - 1);
            }

            _parking.Exit();
            if (!kept)
                return;
            SubmitAgain(transfer);
        }
    }

    public override void OnOutputFailed()
    {
        base.OnOutputFailed(); // before the lock: nothing is parked after it
        bool taken = false;
        _parking.Enter(ref taken);
        Volatile.Write(ref _parkedCount, 0);
        _parking.Exit();
        Wake();
    }

    private void OnCompleted(UsbTransfer transfer)
    {
        CountTransfer();
        bool taken = false;
        _parking.Enter(ref taken);
        bool kept = _parkedCount == 0 && KeepData(transfer); // behind those that wait already, so that the order stays
        if (!kept)
        {
            _parked[(_parkedHead + _parkedCount) % _parked.Length] = transfer;
            Volatile.Write(ref _parkedCount, _parkedCount + 1);
        }

        _parking.Exit();
        if (kept)
            SubmitAgain(transfer);
        else
            Rest();
    }

    /// <summary>Puts what a transfer brought into the ring. The lock is held.</summary>
    /// <returns>False: there is no room for it yet.</returns>
    private bool KeepData(UsbTransfer transfer)
    {
        UsbTransferStatus status = transfer.Status;
        ReadOnlySpan<byte> data = transfer.Data;
        bool stopped = status is UsbTransferStatus.Cancelled or UsbTransferStatus.NoDevice;
        bool nothing = data.IsEmpty && status != UsbTransferStatus.Completed;
        if (!nothing && !LimitReached)
        {
            // Data of a transfer that failed later on is good: the bus has checked each packet.
            if (!TryKeep(data, PacketsOf(data.Length, status), UsbTransferStatus.Completed))
                return false;
            CountTime(Stopwatch.GetTimestamp());
            if (data.IsEmpty)
                Counters.EmptyPackets++;
            NextNumber++;
        }

        if (status == UsbTransferStatus.Completed)
        {
            _failuresInARow = 0;
        }
        else if (status == UsbTransferStatus.NoDevice)
        {
            FailDeviceGone();
        }
        else if (!stopped)
        {
            Counters.AddFailed(status);
            TryKeepFailure(status);
            if (status == UsbTransferStatus.Stall)
                Fail(new FailureException(ExitCode.Other, $"endpoint {Plan.Endpoint} is halted: the device answered STALL"));
            else if (++_failuresInARow >= MostFailuresInARow)
                Fail(new FailureException(ExitCode.Other, $"{MostFailuresInARow} transfers in a row failed, the last with status {status}"));
        }

        return true;
    }

    // A failure leaves a mark in framed output; without room there is none, but a number is missing.
    private void TryKeepFailure(UsbTransferStatus status)
    {
        TryKeep(default, 0, status);
        NextNumber++;
    }

    // A transfer is over when it is full or a packet was not: so all packets but the last are full.
    private long PacketsOf(int length, UsbTransferStatus status)
    {
        int packetSize = Plan.Endpoint.MaxPacketSize;
        bool endedByShortPacket = status == UsbTransferStatus.Completed && length < Plan.UnitSize;
        return endedByShortPacket ? (length / packetSize) + 1 : (length + packetSize - 1) / packetSize;
    }

    private readonly struct Completion : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer) => ((FlowControlledCapture)transfer.State!).OnCompleted(transfer);
    }
}
