using System.Diagnostics;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the state of a ring's run, from the start of the ring until it has stopped. Threads change the state under the ring's lock, and may read it
/// without the lock.
/// </summary>
/// <remarks>
/// <para>The stages are Stopped → Starting (<see cref="TryReserve"/>) → Running (<see cref="Start"/>) → Draining (<see cref="TryStop"/>) → Settling
/// (<see cref="TrySettle"/>) → Stopped (<see cref="Settle"/>). If the endpoint halts and the options let the ring clear the halt, the ring goes from Draining
/// to Recovering, and from there to Running or Settling (<see cref="EndRecovery"/>).</para>
/// <para>A run ends only when every callback has returned and no thread is cancelling the ring's transfers.</para>
/// </remarks>
internal sealed class RingRun
{
    private volatile RingStage _stage;
    private volatile UsbError _failure;
    private TaskCompletionSource _rest = Completed();
    private bool _stopsForGood;
    private bool _cancels; // the transfers must still be cancelled, after the lock is released
    private int _callbacks; // the number of callbacks that run outside the fast path
    private int _cancelling; // the number of threads that are cancelling transfers; the ring must not be started again before it is 0

    public RingStage Stage => _stage;

    public bool IsRunning => _stage == RingStage.Running;

    public bool IsAtRest => _stage == RingStage.Stopped;

    /// <summary>Gets the error that stopped the ring; <see cref="UsbError.Success"/> if no error stopped the ring.</summary>
    public UsbError Failure => _failure;

    /// <summary>Gets a task that completes when the run has ended.</summary>
    public Task Completion => Volatile.Read(ref _rest).Task;

    /// <summary>Reserves the ring for a start, unless the ring runs or is being stopped.</summary>
    public bool TryReserve()
    {
        if (!IsAtRest)
            return false;
        _failure = UsbError.Success;
        _stopsForGood = false;
        Volatile.Write(ref _rest, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _stage = RingStage.Starting;
        return true;
    }

    /// <summary>Begins the reserved run. The run stops immediately if the program has stopped the ring since the reservation.</summary>
    public void Start()
    {
        Debug.Assert(_stage == RingStage.Starting);
        _stage = RingStage.Running;
        if (_stopsForGood)
            TryStop(_failure);
    }

    /// <summary>Ends a reserved run that cannot begin.</summary>
    public void Abandon()
    {
        Debug.Assert(_stage == RingStage.Starting);
        _stage = RingStage.Settling;
    }

    /// <summary>Stops the run, and marks the transfers in flight for cancellation.</summary>
    /// <param name="failure">The reason, or <see cref="UsbError.Success"/> if the program stops the ring.</param>
    public void TryStop(UsbError failure)
    {
        if (!IsRunning)
            return;
        _failure = failure;
        _cancels = true;
        _stage = RingStage.Draining;
    }

    /// <summary>
    /// Stops the run, even if another thread is starting the ring or clearing a halt. In that case, the run stops as soon as the other thread has started the
    /// ring or cleared the halt.
    /// </summary>
    public void StopForGood(UsbError failure)
    {
        if (_stage == RingStage.Starting)
            _failure = failure;
        _stopsForGood = true;
        TryStop(failure);
    }

    /// <summary>Marks the transfers in flight for cancellation again, because a transfer was submitted while the run was being stopped.</summary>
    public void CancelAgain() => _cancels = true;

    /// <summary>Begins a callback. The run does not end before <see cref="EndCallback"/>.</summary>
    public void BeginCallback() => _callbacks++;

    public void EndCallback() => _callbacks--;

    /// <summary>Assigns the cancellation of the transfers to the calling thread, if the transfers are marked for cancellation.</summary>
    /// <param name="again">Whether to cancel the transfers even if they were cancelled before.</param>
    /// <returns>Whether the caller must cancel the transfers, and call <see cref="EndCancelling"/> after that.</returns>
    public bool TryBeginCancelling(bool again)
    {
        if (_stage != RingStage.Draining || !(_cancels || again))
            return false;
        _cancels = false;
        _cancelling++;
        return true;
    }

    public void EndCancelling() => _cancelling--;

    /// <summary>Moves a run that is being stopped to its next stage, if no transfer is in flight and no callback or cancellation is running.</summary>
    /// <param name="inFlight">The number of transfers in flight.</param>
    /// <param name="clearsHalts">Whether the options allow the ring to clear a halt and continue.</param>
    /// <returns>Recovering or Settling if the caller must perform the work of that stage; Draining if the caller has nothing to do.</returns>
    public RingStage TrySettle(int inFlight, bool clearsHalts)
    {
        if (_stage != RingStage.Draining || inFlight > 0 || _callbacks > 0 || _cancelling > 0)
            return RingStage.Draining;
        _cancels = false;
        return _stage = clearsHalts && _failure == UsbError.Pipe && !_stopsForGood ? RingStage.Recovering : RingStage.Settling;
    }

    /// <summary>Ends the recovery, after the ring has cleared the halt or failed to clear it.</summary>
    /// <returns>Whether the ring runs again. If it does not, the run settles.</returns>
    public bool EndRecovery(UsbError error)
    {
        bool runs = error == UsbError.Success && !_stopsForGood;
        _failure = error;
        _stage = runs ? RingStage.Running : RingStage.Settling;
        return runs;
    }

    /// <summary>Ends the run. The ring must give up the ownership of its transfers before this call.</summary>
    /// <returns>The completion source of the task <see cref="Completion"/>. The caller completes this task after it has released the lock.</returns>
    public TaskCompletionSource Settle()
    {
        Debug.Assert(_stage == RingStage.Settling);
        TaskCompletionSource rest = _rest; // the ring may be started again as soon as the lock is free
        _stage = RingStage.Stopped;
        return rest;
    }

    private static TaskCompletionSource Completed()
    {
        TaskCompletionSource completed = new();
        completed.SetResult();
        return completed;
    }
}
