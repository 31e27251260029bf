using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests the stages of a ring's run, and what the ring waits for before it is at rest.</summary>
public sealed class RingRunTests
{
    private readonly RingRun _run = new();

    [Fact]
    public void A_run_goes_through_its_stages_and_completes_at_their_end()
    {
        Assert.Equal((RingStage.Stopped, true, true), (_run.Stage, _run.IsAtRest, _run.Completion.IsCompletedSuccessfully));
        Begin();
        Assert.Equal((RingStage.Running, true, false), (_run.Stage, _run.IsRunning, _run.IsAtRest));
        _run.TryStop(UsbError.Success);
        Assert.Equal(RingStage.Draining, _run.Stage);
        Assert.Equal(RingStage.Settling, _run.TrySettle(inFlight: 0, clearsHalts: true));
        Task completion = _run.Completion;
        TaskCompletionSource rest = _run.Settle();
        Assert.Equal((RingStage.Stopped, false), (_run.Stage, completion.IsCompleted)); // after the lock
        rest.SetResult();
        Assert.True(completion.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_refused_start_leaves_a_run_as_it_is()
    {
        Begin();
        Task completion = _run.Completion;
        Assert.False(_run.TryReserve());
        _run.TryStop(UsbError.Overflow);
        Assert.False(_run.TryReserve());
        Assert.Equal((RingStage.Draining, UsbError.Overflow), (_run.Stage, _run.Failure));
        Assert.Same(completion, _run.Completion);
    }

    [Fact]
    public void A_new_run_has_no_failure_and_a_completion_of_its_own()
    {
        Begin();
        _run.StopForGood(UsbError.NoDevice);
        Task completion = _run.Completion;
        _run.TrySettle(inFlight: 0, clearsHalts: false);
        TaskCompletionSource rest = _run.Settle();
        Begin(); // before the thread that brought the ring to rest has completed the task
        Assert.Equal((RingStage.Running, UsbError.Success), (_run.Stage, _run.Failure));
        Assert.NotSame(completion, _run.Completion);
        rest.SetResult();
        Assert.Equal((true, false), (completion.IsCompleted, _run.Completion.IsCompleted));
    }

    [Fact]
    public void Only_the_first_reason_to_stop_counts()
    {
        Begin();
        _run.TryStop(UsbError.Pipe);
        _run.TryStop(UsbError.NoDevice);
        _run.StopForGood(UsbError.Success);
        Assert.Equal(UsbError.Pipe, _run.Failure);
    }

    [Fact]
    public void A_ring_that_is_stopped_while_it_starts_never_submits()
    {
        Assert.True(_run.TryReserve());
        _run.StopForGood(UsbError.Closed);
        Assert.Equal(RingStage.Starting, _run.Stage);
        _run.Start();
        Assert.Equal((RingStage.Draining, UsbError.Closed), (_run.Stage, _run.Failure));
        Assert.Equal(RingStage.Settling, _run.TrySettle(inFlight: 0, clearsHalts: true));
    }

    [Fact]
    public void A_start_that_fails_settles()
    {
        Assert.True(_run.TryReserve());
        _run.Abandon();
        _run.Settle().SetResult();
        Assert.Equal((true, true), (_run.IsAtRest, _run.Completion.IsCompleted));
    }

    [Fact]
    public void A_ring_is_not_at_rest_before_its_transfers_callbacks_and_cancelling_threads_have_returned()
    {
        Begin();
        _run.BeginCallback();
        _run.BeginCallback();
        _run.TryStop(UsbError.Success);
        Assert.True(_run.TryBeginCancelling(again: false));
        Assert.Equal(RingStage.Draining, Settle(inFlight: 1));
        Assert.Equal(RingStage.Draining, Settle(inFlight: 0));
        _run.EndCallback();
        _run.EndCancelling();
        Assert.Equal(RingStage.Draining, Settle(inFlight: 0)); // one callback runs
        _run.EndCallback();
        Assert.True(_run.TryBeginCancelling(again: true));
        Assert.Equal(RingStage.Draining, Settle(inFlight: 0)); // a thread cancels
        _run.EndCancelling();
        Assert.Equal(RingStage.Draining, Settle(inFlight: 1)); // a transfer is in flight
        Assert.Equal(RingStage.Settling, Settle(inFlight: 0));
        Assert.Equal(RingStage.Draining, Settle(inFlight: 0)); // one thread settles, and no other one
    }

    [Fact]
    public void The_transfers_of_a_run_are_cancelled_once_and_again_on_request()
    {
        Begin();
        Assert.False(_run.TryBeginCancelling(again: true)); // it runs
        _run.TryStop(UsbError.Success);
        Assert.True(_run.TryBeginCancelling(again: false));
        Assert.False(_run.TryBeginCancelling(again: false));
        Assert.True(_run.TryBeginCancelling(again: true));
        _run.CancelAgain(); // a transfer was submitted in the meantime
        Assert.True(_run.TryBeginCancelling(again: false));
        Assert.False(_run.TryBeginCancelling(again: false));
    }

    [Theory]
    [InlineData(UsbError.Pipe, true, false, true)]
    [InlineData(UsbError.Pipe, false, false, false)]
    [InlineData(UsbError.Pipe, true, true, false)]
    [InlineData(UsbError.IO, true, false, false)]
    [InlineData(UsbError.Success, true, false, false)]
    public void Only_a_halt_that_the_ring_clears_leads_to_a_recovery(UsbError failure, bool clearsHalts, bool stopsForGood, bool recovers)
    {
        RingStage expected = recovers ? RingStage.Recovering : RingStage.Settling;
        Begin();
        _run.TryStop(failure);
        if (stopsForGood)
            _run.StopForGood(UsbError.Success);
        Assert.Equal(expected, _run.TrySettle(inFlight: 0, clearsHalts));
        Assert.Equal(expected, _run.Stage);
    }

    [Theory]
    [InlineData(UsbError.Success, false, true)]
    [InlineData(UsbError.Success, true, false)]
    [InlineData(UsbError.NoDevice, false, false)]
    public void A_ring_runs_after_a_recovery_unless_the_recovery_failed_or_the_program_stopped_the_ring(UsbError error, bool stopsForGood, bool runs)
    {
        Begin();
        _run.TryStop(UsbError.Pipe);
        Assert.Equal(RingStage.Recovering, _run.TrySettle(inFlight: 0, clearsHalts: true));
        Assert.False(_run.TryBeginCancelling(again: true)); // nothing is in flight
        if (stopsForGood)
            _run.StopForGood(UsbError.Success);
        Assert.Equal(RingStage.Recovering, _run.Stage);
        Assert.Equal(runs, _run.EndRecovery(error));
        Assert.Equal((runs ? RingStage.Running : RingStage.Settling, error), (_run.Stage, _run.Failure));
    }

    private void Begin()
    {
        Assert.True(_run.TryReserve());
        Assert.Equal(RingStage.Starting, _run.Stage);
        _run.Start();
    }

    private RingStage Settle(int inFlight) => _run.TrySettle(inFlight, clearsHalts: false);
}
