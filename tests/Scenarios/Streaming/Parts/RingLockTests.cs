using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests the lock of a ring without a ring. The threads therefore compete for the lock all the time.</summary>
public sealed class RingLockTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Watchdog _watchdog = new(seconds: 120, test: "the test");
    private RingLock _lock;
    private long _entries;

    public void Dispose() => _watchdog.Dispose();

    [Fact]
    public void Threads_that_meet_enter_one_after_another()
    {
        int rounds = Rounds.Of(100_000);
        var point = new MeetingPoint();
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(number => new Thread(() =>
        {
            for (int round = 0; round < rounds; round++)
            {
                point.Meet(number, round);
                for (int i = 0; i < 10; i++)
                {
                    _lock.Enter();
                    _entries++; // not atomic: threads that are inside together lose a number
                    _lock.Exit();
                }
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        Assert.Equal(20L * rounds, _entries);
    }

    [Fact]
    public void A_thread_enters_only_after_the_holder_has_left()
    {
        using var begun = new ManualResetEventSlim();
        bool left = false, sawTheEnd = false;
        var other = new Thread(() =>
        {
            begun.Set();
            _lock.Enter();
            sawTheEnd = left;
            _lock.Exit();
        });
        _lock.Enter();
        other.Start();
        Assert.True(begun.Wait(s_patience));
        Assert.False(other.Join(TimeSpan.FromMilliseconds(100))); // shows the wait; a slow machine can only hide an error
        left = true;
        _lock.Exit();
        Assert.True(other.Join(s_patience));
        Assert.True(sawTheEnd);
    }
}
