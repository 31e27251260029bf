namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests the state that determines which thread closes an object. The tests use the state alone, without an object to close, so that two threads can access the
/// state at the same time in every round.
/// </summary>
public sealed class CloseStateTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly CloseState _state = new();
    private readonly Watchdog _watchdog = new(seconds: 120, test: "the test");

    public void Dispose() => _watchdog.Dispose();

    [Fact]
    public void One_of_two_threads_begins_to_close_and_the_other_waits_until_everything_is_stopped()
    {
        using var stopping = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        bool stopped = false, stoppedTwice = false, wasOpen = true, wasClosed = true;
        bool? first = null, second = null;
        bool secondSawTheEnd = false;
        var beginner = new Thread(() => first = _state.TryBegin(() =>
        {
            (wasOpen, wasClosed) = (_state.IsOpen, _state.IsClosed);
            stopping.Set();
            mayEnd.Wait();
            Volatile.Write(ref stopped, true);
        }));
        var other = new Thread(() =>
        {
            second = _state.TryBegin(() => stoppedTwice = true);
            secondSawTheEnd = Volatile.Read(ref stopped);
        });
        beginner.Start();
        Assert.True(stopping.Wait(s_patience));
        other.Start();
        try
        {
            Assert.False(other.Join(TimeSpan.FromMilliseconds(100))); // shows the wait; a slow machine can only hide an error
        }
        finally
        {
            mayEnd.Set();
        }

        Assert.True(beginner.Join(s_patience));
        Assert.True(other.Join(s_patience));
        Assert.Equal((true, false), (first, second));
        Assert.True(secondSawTheEnd);
        Assert.False(stoppedTwice);
        Assert.False(wasOpen); // the state accepts nothing new while the beginner stops the object
        Assert.False(wasClosed);
    }

    [Fact]
    public void One_of_two_threads_begins_and_one_finishes()
    {
        CloseState[] states = [.. Enumerable.Range(0, Rounds.Of(20_000)).Select(static _ => new CloseState())];
        int[] begun = new int[states.Length], stopped = new int[states.Length], finishing = new int[states.Length];
        var point = new MeetingPoint();
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(number => new Thread(() =>
        {
            for (int round = 0; round < states.Length; round++)
            {
                point.Meet(number, 2 * round);
                if (states[round].TryBegin(() => Interlocked.Increment(ref stopped[round])))
                    Interlocked.Increment(ref begun[round]);
                point.Meet(number, (2 * round) + 1);
                if (states[round].TryBeginFinish())
                    Interlocked.Increment(ref finishing[round]);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        Assert.All(begun, static count => Assert.Equal(1, count));
        Assert.All(stopped, static count => Assert.Equal(1, count));
        Assert.All(finishing, static count => Assert.Equal(1, count));
    }

    [Fact]
    public void A_thread_that_begins_or_finishes_does_not_wait_for_itself()
    {
        bool finishedByBeginner = false, finishesWhileItBegins = true;
        Assert.False(_state.IsFinishedByThisThread);
        Assert.True(_state.TryBegin(() =>
        {
            finishedByBeginner = _state.IsFinishedByThisThread;
            finishesWhileItBegins = _state.TryBeginFinish();
        }));
        Assert.True(finishedByBeginner);
        Assert.False(finishesWhileItBegins);
        Assert.False(_state.IsFinishedByThisThread); // this thread has begun to close, but does not finish yet
        Assert.True(_state.TryBeginFinish());
        Assert.False(_state.TryBeginFinish());
        Assert.True(_state.IsFinishedByThisThread);
        bool finishedByOther = true, otherFinishes = true;
        var other = new Thread(() =>
        {
            finishedByOther = _state.IsFinishedByThisThread;
            otherFinishes = _state.TryBeginFinish();
        });
        other.Start();
        other.Join();
        Assert.False(finishedByOther);
        Assert.False(otherFinishes);
        Assert.False(_state.IsClosed);
        Assert.False(_state.Completion.IsCompleted);
        _state.Complete();
        Assert.True(_state.IsClosed);
        Assert.True(_state.Completion.IsCompletedSuccessfully);
    }
}
