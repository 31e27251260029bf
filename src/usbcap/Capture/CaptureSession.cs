using System.Diagnostics;
using Native.LibUsb;
using Native.LibUsb.Streaming;
using Usbcap.Reporting;

namespace Usbcap.Capture;

/// <summary>Represents a capture that is under way: a ring on one endpoint, the data received until now, and the condition that ends the capture.</summary>
internal sealed class CaptureSession : IDisposable
{
    private readonly UsbInputRing _ring;
    private readonly AutoResetEvent _changed = new(false);
    private bool _stopping;
    private bool _limitReached;
    private FailureException? _failure;
    private long _started;

    /// <exception cref="FailureException">The options do not fit the endpoint, or the kernel's limit.</exception>
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

    /// <summary>Gets the allocations from the first transfer that ended until the capture was to stop.</summary>
    public AllocationCounter Allocations { get; } = new();

    /// <summary>Gets the failure that ended the capture before its time; null when nothing did.</summary>
    public FailureException? Failure => Volatile.Read(ref _failure);

    /// <summary>Gets whether the number of bytes or packets that was requested has been captured.</summary>
    public bool LimitReached => Volatile.Read(ref _limitReached);

    /// <summary>Gets whether the capture is to stop.</summary>
    public bool IsStopping => Volatile.Read(ref _stopping);

    /// <summary>Gets the time from the start to now, or to the last data when the capture is over.</summary>
    public TimeSpan Elapsed =>
        Stopwatch.GetElapsedTime(_started, _ring.Completion.IsCompleted && Counters.LastCompletion != 0 ? Counters.LastCompletion : Stopwatch.GetTimestamp());

    /// <summary>Makes the runtime prepare what this thread needs to wait, so that it does not while data streams.</summary>
    public void Prepare() => _changed.WaitOne(1);

    /// <summary>Submits the first transfers. When one is refused, the failure is kept and the capture stops.</summary>
    public void Start()
    {
        _started = Stopwatch.GetTimestamp();
        try
        {
            _ring.Start();
        }
        catch (UsbException)
        {
            // the reader finds it, as it does when the ring stops later
        }

        Check();
    }

    /// <summary>Waits until the capture is to stop, or the time is over.</summary>
    public void Wait(TimeSpan time)
    {
        _changed.WaitOne(time);
        Check();
    }

    /// <summary>Stops the capture. Data that arrives before all transfers are at rest is still kept.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopping, true);
        _changed.Set();
    }

    /// <summary>Stops: what was requested has been captured.</summary>
    public void StopAtLimit()
    {
        Volatile.Write(ref _limitReached, true);
        Stop();
    }

    /// <summary>Stops because of a failure. The first one counts.</summary>
    public void Fail(FailureException failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        Stop();
    }

    /// <summary>Cancels what is in flight and waits until every transfer is at rest.</summary>
    public void CancelAndDrain()
    {
        Stop();
        Allocations.Stop();
        _ring.StopAsync().GetAwaiter().GetResult();
    }

    /// <summary>Takes the next transfer. For the thread that writes.</summary>
    /// <param name="patience">How long to wait for it.</param>
    /// <param name="buffer">What it brought; the caller disposes it.</param>
    /// <param name="ended">There is nothing more to come.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(TimeSpan patience, out UsbInputBuffer buffer, out bool ended)
    {
        ended = _ring.Completion.IsCompleted; // read first: what arrived before it is seen below
        try
        {
            if (!_ring.TryTake(out buffer, patience))
                return false;
        }
        catch (UsbException failure)
        {
            // Not before all is read: what arrived before it may be all that was requested.
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

    /// <summary>Takes the counts that only the ring has, after all data is read.</summary>
    public void Finish()
    {
        UsbRingStatistics statistics = _ring.GetStatistics();
        Counters.Transfers = statistics.Completions;
        Counters.Missed = statistics.MissedIntervals;
        if (!LimitReached)
            Counters.Dropped = statistics.Dropped.Packets; // also those after the last buffer
    }

    public void Dispose()
    {
        _ring.Dispose();
        _changed.Dispose();
    }

    // When the kernel refuses a transfer the ring goes on with less. A user who requested that many sees a message.
    private void Check()
    {
        UsbRingStatistics statistics = _ring.GetStatistics();
        Volatile.Write(ref Counters.Missed, statistics.MissedIntervals);
        if (statistics.SubmitFailures > 0 && _ring.IsRunning && !IsStopping)
            Fail(RingFailure.OfSubmission(statistics, Plan));
    }
}
