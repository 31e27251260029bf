using System.Diagnostics;
using Native.LibUsb;
using Native.LibUsb.Streaming;
using Usbcap.Reporting;

namespace Usbcap.Capture;

/// <summary>Represents a running capture: a ring on one endpoint, the counters, and the conditions that end the capture.</summary>
internal sealed class CaptureSession : IDisposable
{
    private readonly UsbInputRing _ring;
    private readonly AutoResetEvent _changed = new(false);
    private bool _stopping;
    private bool _limitReached;
    private FailureException? _failure;
    private long _started;

    /// <exception cref="FailureException">The options are not valid for the endpoint, or exceed the kernel's limit.</exception>
    public CaptureSession(UsbInterface claimed, CapturePlan plan)
    {
        Plan = plan;
        try
        {
            _ring = claimed.GetEndpoint(plan.Endpoint.Address).CreateInputRing(plan.Ring);
        }
        catch (ArgumentException e)
        {
            throw RingFailure.OfOptions(e);
        }
    }

    public CapturePlan Plan { get; }

    public CaptureCounters Counters { get; } = new();

    /// <summary>Gets the allocations between the first completed transfer and the end of the capture.</summary>
    public AllocationCounter Allocations { get; } = new();

    /// <summary>Gets the failure that ended the capture. Null if there is none.</summary>
    public FailureException? Failure => Volatile.Read(ref _failure);

    /// <summary>Gets whether the requested number of bytes or packets has been captured.</summary>
    public bool LimitReached => Volatile.Read(ref _limitReached);

    /// <summary>Gets whether the capture has been requested to stop.</summary>
    public bool IsStopping => Volatile.Read(ref _stopping);

    /// <summary>
    /// Gets the time since the start of the capture. After the capture has ended, gets the time between its start and the arrival of the last data.
    /// </summary>
    public TimeSpan Elapsed =>
        Stopwatch.GetElapsedTime(_started, _ring.Completion.IsCompleted && Counters.LastCompletion != 0 ? Counters.LastCompletion : Stopwatch.GetTimestamp());

    /// <summary>
    /// Waits once before the capture, because the runtime allocates memory for the first wait of a thread. The waits during the capture allocate no memory.
    /// </summary>
    public void Prepare() => _changed.WaitOne(1);

    /// <summary>Submits the first transfers. If a submission fails, the capture stops with that failure.</summary>
    public void Start()
    {
        _started = Stopwatch.GetTimestamp();
        try
        {
            _ring.Start();
        }
        catch (UsbException)
        {
            // The ring's TryTake method throws the same failure on the writing thread, as it does for a ring that stops later.
        }

        Check();
    }

    /// <summary>Waits until the capture has been requested to stop, or until the time has expired.</summary>
    public void Wait(TimeSpan time)
    {
        _changed.WaitOne(time);
        Check();
    }

    /// <summary>Stops the capture. The capture keeps the data that arrives before all transfers have ended.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopping, true);
        _changed.Set();
    }

    /// <summary>Stops the capture because the requested amount of data has been captured.</summary>
    public void StopAtLimit()
    {
        Volatile.Write(ref _limitReached, true);
        Stop();
    }

    /// <summary>Stops the capture because of a failure. Only the first failure is kept.</summary>
    public void Fail(FailureException failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        Stop();
    }

    /// <summary>Cancels the transfers in flight and waits until every transfer has ended.</summary>
    public void CancelAndDrain()
    {
        Stop();
        Allocations.Stop();
        _ring.StopAsync().GetAwaiter().GetResult();
    }

    /// <summary>Takes the next completed transfer from the ring. Only the writing thread may call the method.</summary>
    /// <param name="patience">The maximum time to wait.</param>
    /// <param name="buffer">Receives the transfer's buffer, which the caller disposes.</param>
    /// <param name="ended">Receives true if the ring has ended and all of its buffers have been taken.</param>
    /// <returns>True if a transfer was taken.</returns>
    public bool TryTake(TimeSpan patience, out UsbInputBuffer buffer, out bool ended)
    {
        ended = _ring.Completion.IsCompleted; // read before TryTake, so that TryTake returns all data that arrived before the end
        try
        {
            if (!_ring.TryTake(out buffer, patience))
                return false;
        }
        catch (UsbException failure)
        {
            // The ring throws this exception only after this thread has read all data. If the capture is already being stopped, the capture ignores an
            // unplugged device.
            if (!IsStopping || failure.Error != UsbError.NoDevice)
                Fail(RingFailure.Of(failure, _ring.GetStatistics(), Plan, Counters));
            buffer = default;
            ended = true;
            return false;
        }

        ended = false;
        if (!Allocations.HasStarted)
            Allocations.Start();
        return true;
    }

    /// <summary>Copies the counters of the ring to <see cref="Counters"/>. Call this method after all data has been read.</summary>
    public void Finish()
    {
        UsbRingStatistics statistics = _ring.GetStatistics();
        Counters.Transfers = statistics.Completions;
        Counters.Missed = statistics.MissedIntervals;
        if (!LimitReached)
            Counters.Dropped = statistics.Dropped.Packets; // this number includes the packets that were dropped after the last buffer
    }

    public void Dispose()
    {
        _ring.Dispose();
        _changed.Dispose();
    }

    // If the kernel refuses a transfer, the ring continues with fewer transfers. In that case, this method makes the capture fail, so that the user gets a
    // message. If the kernel accepts the first URB of an isochronous transfer but refuses a later one, libusb accepts the transfer, and then reports that it has
    // failed. The ring submits such a transfer again and again, so the capture would never end if no other transfer completes. Linux has such a limit, and reports
    // errors of the device for single packets, not for whole isochronous transfers.
    private void Check()
    {
        UsbRingStatistics statistics = _ring.GetStatistics();
        Volatile.Write(ref Counters.Missed, statistics.MissedIntervals);
        bool onlyFails = Plan.IsIsochronous && statistics.Transfers.Completed == 0 && statistics.Transfers.Error > Plan.Ring.Transfers
            && UsbRingOptions.SystemMemoryLimit is not null;
        if ((statistics.SubmitFailures > 0 || onlyFails) && _ring.IsRunning && !IsStopping)
            Fail(RingFailure.OfSubmission(statistics, Plan));
    }
}
