using System.Diagnostics;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the run of a ring from its start until it is at rest. It is changed under the ring's lock, and may be read without it.</summary>
/// <remarks>
/// <para>Stages: Stopped → Starting (<see cref="TryReserve"/>) → Running (<see cref="Start"/>) → Draining (<see cref="TryStop"/>) → Settling
/// (<see cref="TrySettle"/>) → Stopped (<see cref="Settle"/>). A ring that clears halts goes from Draining to Recovering, and from there to Running or Settling
/// (<see cref="EndRecovery"/>).</para>
/// <para>A ring is not at rest before every callback has returned and no thread cancels its transfers any more: stopped means stopped.</para>
/// </remarks>
internal sealed class RingRun
{
    private volatile RingStage _stage;
    private volatile UsbError _failure;
    private TaskCompletionSource _rest = Completed();
    private bool _stopsForGood;
    private bool _cancels; // the transfers are still to be cancelled, without the lock
    private int _callbacks; // that run outside the fast path
    private int _cancelling; // threads that cancel transfers: until they are done, the ring must not be started again

    public RingStage Stage => _stage;

    public bool IsRunning => _stage == RingStage.Running;

    public bool IsAtRest => _stage == RingStage.Stopped;

    /// <summary>Gets why the ring stopped by itself, or <see cref="UsbError.Success"/>.</summary>
    public UsbError Failure => _failure;

    /// <summary>Gets a task that completes when the run has ended.</summary>
    public Task Completion => Volatile.Read(ref _rest).Task;

    /// <summary>Begins to start the ring, unless it runs or is being stopped.</summary>
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

    /// <summary>Begins the run that was reserved. It stops at once if the program has stopped it in the meantime.</summary>
    public void Start()
    {
        Debug.Assert(_stage == RingStage.Starting);
        _stage = RingStage.Running;
        if (_stopsForGood)
            TryStop(_failure);
    }

    /// <summary>Ends a run that was reserved and cannot begin, or that has nothing to cancel.</summary>
    public void Abandon()
    {
        Debug.Assert(_stage == RingStage.Starting);
        _stage = RingStage.Settling;
    }

    /// <summary>Stops the run, and has the transfers in flight cancelled.</summary>
    /// <param name="failure">The reason, or <see cref="UsbError.Success"/> if the program stops the ring.</param>
    public void TryStop(UsbError failure)
    {
        if (!IsRunning)
            return;
        _failure = failure;
        _cancels = true;
        _stage = RingStage.Draining;
    }

    /// <summary>Stops the run for good: neither a start that is under way nor a halt that is being cleared makes it run again.</summary>
    public void StopForGood(UsbError failure)
    {
        if (_stage == RingStage.Starting)
            _failure = failure;
        _stopsForGood = true;
        TryStop(failure);
    }

    /// <summary>Has the transfers in flight cancelled once more, because one was submitted while the run was being stopped.</summary>
    public void CancelAgain() => _cancels = true;

    /// <summary>Begins a callback. The ring is not at rest before it has returned.</summary>
    public void BeginCallback() => _callbacks++;

    public void EndCallback() => _callbacks--;

    /// <summary>Makes the caller cancel the transfers, if they are to be cancelled.</summary>
    /// <param name="again">Whether they are to be cancelled even if they have been.</param>
    /// <returns>Whether the caller cancels them, and then calls <see cref="EndCancelling"/>.</returns>
    public bool TryBeginCancelling(bool again)
    {
        if (_stage != RingStage.Draining || !(_cancels || again))
            return false;
        _cancels = false;
        _cancelling++;
        return true;
    }

    public void EndCancelling() => _cancelling--;

    /// <summary>Begins to end the run, if nothing is left to wait for.</summary>
    /// <param name="inFlight">The number of transfers in flight.</param>
    /// <param name="clearsHalts">Whether the ring clears a halt and goes on.</param>
    /// <returns>Recovering or Settling, which the caller has to perform; Draining if there is nothing to do.</returns>
    public RingStage TrySettle(int inFlight, bool clearsHalts)
    {
        if (_stage != RingStage.Draining || inFlight > 0 || _callbacks > 0 || _cancelling > 0)
            return RingStage.Draining;
        _cancels = false;
        return _stage = clearsHalts && _failure == UsbError.Pipe && !_stopsForGood ? RingStage.Recovering : RingStage.Settling;
    }

    /// <summary>Ends the recovery, after the halt has been cleared or could not be cleared.</summary>
    /// <returns>Whether the ring runs again; otherwise it settles.</returns>
    public bool EndRecovery(UsbError error)
    {
        bool runs = error == UsbError.Success && !_stopsForGood;
        _failure = error;
        _stage = runs ? RingStage.Running : RingStage.Settling;
        return runs;
    }

    /// <summary>Ends the run: all transfers have been given back.</summary>
    /// <returns>What completes <see cref="Completion"/>, once the lock is free.</returns>
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
