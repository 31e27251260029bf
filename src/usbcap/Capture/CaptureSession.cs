using System.Diagnostics;
using Native.LibUsb;
using Usbcap.Reporting;

namespace Usbcap.Capture;

/// <summary>
/// Transfers in flight on one endpoint, and what becomes of their data. The callbacks run on the event thread; they allocate nothing and
/// never wait: they copy into the ring and submit again.
/// </summary>
internal abstract class CaptureSession : IDisposable
{
    // A cancellation that came just before its submission was lost, so it is asked for again until all are at rest.
    private const int CancelAgainMilliseconds = 20;

    private readonly UsbTransfer[] _transfers;
    private readonly AutoResetEvent _changed = new(false);
    private readonly byte[] _header;
    private readonly long _byteLimit;
    private readonly long _packetLimit;
    private int _inFlight;
    private bool _stopping;
    private bool _limitReached;
    private bool _discarding;
    private FailureException? _failure;
    private long _started;
    private long _lastCompletion;

    protected CaptureSession(UsbDeviceHandle handle, TransferPlan plan, CaptureRequest request, BlockRing ring)
    {
        Plan = plan;
        Ring = ring;
        _header = new byte[request.Format == OutputFormat.Framed ? FrameHeader.Size : 0];
        _byteLimit = request.Bytes ?? long.MaxValue;
        _packetLimit = request.Packets ?? long.MaxValue;
        _transfers = new UsbTransfer[plan.Transfers];
        for (int i = 0; i < _transfers.Length; i++)
        {
            _transfers[i] = handle.CreateTransfer(plan.PacketsPerTransfer);
            _transfers[i].State = this;
        }
    }

    public TransferPlan Plan { get; }

    public CaptureCounters Counters { get; } = new();

    /// <summary>What was allocated from the first transfer that ended until all were at rest.</summary>
    public AllocationCounter Allocations { get; } = new();

    /// <summary>What ended the capture before its time; null when nothing did.</summary>
    public FailureException? Failure => Volatile.Read(ref _failure);

    /// <summary>Whether the number of bytes or packets that was asked for has been captured.</summary>
    public bool LimitReached => Volatile.Read(ref _limitReached);

    /// <summary>Whether no more transfers are submitted.</summary>
    public bool IsStopping => Volatile.Read(ref _stopping);

    /// <summary>Whether no transfer is in flight and no data waits to be copied.</summary>
    public bool IsAtRest => Volatile.Read(ref _inFlight) == 0 && !HasParked;

    /// <summary>Time from the first submission to now, or to the last data when the capture is over.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started, IsAtRest && _lastCompletion != 0 ? _lastCompletion : Stopwatch.GetTimestamp());

    protected long LastCompletion => _lastCompletion;

    protected BlockRing Ring { get; }

    protected ReadOnlySpan<UsbTransfer> Transfers => _transfers;

    /// <summary>Whether transfers wait, at rest, until the ring has room for what they brought.</summary>
    protected virtual bool HasParked => false;

    /// <summary>Number of the packet or transfer that comes next, lost ones counted.</summary>
    protected long NextNumber { get; set; }

    /// <summary>Puts the header of the file into the ring. Call before <see cref="Start"/>.</summary>
    public void WriteFileHeader()
    {
        if (_header.Length == 0)
            return;
        FrameHeader.WriteFile(_header, Plan.Endpoint, Plan.UnitSize);
        Ring.TryWrite(_header, default);
    }

    /// <summary>Makes the runtime prepare what a thread needs to wait, so that it does not while data streams.</summary>
    public void Prepare()
    {
        _changed.WaitOne(1);
        foreach (UsbTransfer transfer in _transfers)
            transfer.TryCancel(); // nothing is submitted: it only makes the lock's thread known
    }

    /// <summary>Submits all transfers. When one is refused, the failure is kept and the capture stops.</summary>
    public void Start()
    {
        _started = Stopwatch.GetTimestamp();
        _inFlight = _transfers.Length; // before the first can complete
        for (int i = 0; i < _transfers.Length; i++)
        {
            UsbError error = IsStopping ? UsbError.Interrupted : _transfers[i].TrySubmit();
            if (error == UsbError.Success)
                continue;
            if (!IsStopping)
                Fail(SubmitFailure(error, i));
            Rest();
        }
    }

    /// <summary>Waits until the capture is to stop, comes to rest, or the time is over.</summary>
    public void Wait(TimeSpan time) => _changed.WaitOne(time);

    /// <summary>Wakes <see cref="Wait"/>.</summary>
    public void Wake() => _changed.Set();

    /// <summary>Submits nothing more. What arrives until all transfers are at rest is still kept.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopping, true);
        _changed.Set();
    }

    /// <summary>Stops because of a failure. The first one counts.</summary>
    public void Fail(FailureException failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        Stop();
    }

    /// <summary>Cancels what is in flight and waits until every transfer is at rest and its data in the ring.</summary>
    public void CancelAndDrain()
    {
        Stop();
        while (!IsAtRest)
        {
            foreach (UsbTransfer transfer in _transfers)
                transfer.TryCancel();
            _changed.WaitOne(CancelAgainMilliseconds);
        }

        Allocations.Stop();
        OnDrained();
    }

    /// <summary>All transfers are at rest.</summary>
    public virtual void OnDrained()
    {
    }

    /// <summary>The ring has room again. Called by the thread that writes.</summary>
    public virtual void OnRoom()
    {
    }

    /// <summary>The output takes no more: data that still comes is not kept.</summary>
    public virtual void OnOutputFailed() => Volatile.Write(ref _discarding, true);

    public void Dispose()
    {
        foreach (UsbTransfer transfer in _transfers)
            transfer.Dispose();
        _changed.Dispose();
    }

    /// <summary>What every callback begins with.</summary>
    protected void CountTransfer()
    {
        if (!Allocations.HasStarted)
            Allocations.Start();
        Counters.Transfers++;
    }

    /// <summary>What every callback ends with: submits the transfer again, or leaves it at rest.</summary>
    protected void SubmitAgain(UsbTransfer transfer)
    {
        if (!IsStopping)
        {
            UsbError error = transfer.TrySubmit();
            if (error == UsbError.Success)
                return;
            Fail(SubmitFailure(error, _inFlight));
        }

        Rest();
    }

    /// <summary>A transfer will not be in flight for now.</summary>
    protected void Rest()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0)
            _changed.Set();
    }

    /// <summary>A transfer that was at rest is submitted again.</summary>
    protected void LeaveRest() => Interlocked.Increment(ref _inFlight);

    /// <summary>Notes when data arrived.</summary>
    protected void CountTime(long now) => _lastCompletion = now;

    /// <summary>Puts data into the ring, cut to what is still asked for.</summary>
    /// <param name="data">What arrived.</param>
    /// <param name="packets">The packets it is.</param>
    /// <param name="status">How it arrived; only good packets count, and only they go to raw output.</param>
    /// <returns>False: there is no room for it.</returns>
    protected bool TryKeep(ReadOnlySpan<byte> data, long packets, UsbTransferStatus status)
    {
        bool good = status == UsbTransferStatus.Completed;
        if (LimitReached || Volatile.Read(ref _discarding) || (!good && _header.Length == 0))
            return true; // not wanted
        if (good)
            Cut(ref data, ref packets);
        if (_header.Length > 0)
            FrameHeader.Write(_header, NextNumber, data.Length, status);
        if (!Ring.TryWrite(_header, data))
            return false;
        Counters.Bytes += data.Length;
        if (!good)
            return true;
        Counters.Packets += packets;
        if (Counters.Packets >= _packetLimit || Counters.Bytes >= _byteLimit)
        {
            Volatile.Write(ref _limitReached, true);
            Stop();
        }

        return true;
    }

    /// <summary>A transfer ended because the device is not there any more.</summary>
    protected void FailDeviceGone()
    {
        if (!IsStopping) // otherwise everything that was asked for is here
            Fail(new FailureException(ExitCode.DeviceGone, "the device is gone"));
    }

    private void Cut(ref ReadOnlySpan<byte> data, ref long packets)
    {
        long packetsLeft = _packetLimit - Counters.Packets;
        if (packets > packetsLeft)
        {
            // Only bulk and interrupt transfers bring more than one packet at a time; all but the last are full.
            packets = packetsLeft;
            data = data[..(int)Math.Min(data.Length, packets * Plan.Endpoint.MaxPacketSize)];
        }

        long bytesLeft = _byteLimit - Counters.Bytes;
        if (data.Length > bytesLeft)
            data = data[..(int)bytesLeft];
    }

    private FailureException SubmitFailure(UsbError error, int inFlight)
    {
        if (error == UsbError.NoDevice)
            return new FailureException(ExitCode.DeviceGone, "the device is gone");
        bool memory = error == UsbError.NoMemory || (error == UsbError.IO && Plan.Endpoint.Kind == TransferKind.Isochronous);
        if (!memory)
            return FailureException.From(new UsbException(error, $"submit a transfer on endpoint {Plan.Endpoint}"));
        string limit = TransferPlan.UsbfsMemoryMegabytes is { } megabytes ? $" ({megabytes} MiB now)" : "";
        return new FailureException(ExitCode.Memory,
            $"the kernel refused transfer {inFlight + 1} of {Plan.Transfers} with {Plan.TransferSize} bytes each: often its limit for all transfers " +
            $"in flight together{limit}; use a smaller --in-flight, or raise /sys/module/usbcore/parameters/usbfs_memory_mb");
    }
}
