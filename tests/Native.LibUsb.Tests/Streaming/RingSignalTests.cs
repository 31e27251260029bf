using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests, with several threads, the signal that wakes the readers and writers of a ring.</summary>
public sealed class RingSignalTests
{
    private readonly RingSignal _signal = new(continueInline: false);

    [Fact]
    public async Task Setting_completes_nothing_before_there_is_a_continuation()
    {
        ValueTask wait = _signal.WaitAsync(CancellationToken.None);
        _signal.Set();
        Assert.False(wait.IsCompleted); // otherwise the awaiting thread could see the signal and wait again while the setting thread still looks for the continuation
        await wait;
    }

    [Fact]
    public async Task The_signal_stays_set_until_a_wait()
    {
        _signal.Set();
        _signal.Set();
        ValueTask wait = _signal.WaitAsync(CancellationToken.None);
        Assert.True(wait.IsCompleted);
        await wait;
        ValueTask next = _signal.WaitAsync(CancellationToken.None);
        Assert.False(next.IsCompleted);
        _signal.Set();
        await next;
    }

    [Fact]
    public async Task A_token_ends_only_its_own_wait()
    {
        using Watchdog watchdog = new();
        using CancellationTokenSource before = new(), first = new(), second = new();
        ValueTask wait = _signal.WaitAsync(before.Token);
        await before.CancelAsync(); // no task awaits the wait yet
        Assert.Equal(before.Token, (await Assert.ThrowsAsync<OperationCanceledException>(async () => await wait)).CancellationToken);

        Task waiting = _signal.WaitAsync(first.Token).AsTask();
        _signal.Set();
        await waiting;
        waiting = _signal.WaitAsync(second.Token).AsTask();
        await first.CancelAsync();
        Assert.False(waiting.IsCompleted);
        await second.CancelAsync();
        Assert.Equal(second.Token, (await Assert.ThrowsAsync<OperationCanceledException>(async () => await waiting)).CancellationToken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_wake_up_is_lost_or_given_twice_when_threads_meet(bool cancels)
    {
        const int rounds = 50_000;
        using Watchdog watchdog = new();
        long made = 0, seen = 0;
        CancellationTokenSource? source = cancels ? new() : null; // never disposed of: the other thread may be about to cancel it
        var setter = new Thread(() =>
        {
            while (made < rounds)
            {
                SpinWait.SpinUntil(() => Volatile.Read(ref seen) == made); // the other thread is about to wait, or waits
                Volatile.Write(ref made, made + 1);
                _signal.Set();
                Volatile.Read(ref source)?.Cancel();
            }
        });
        setter.Start();
        await Task.Run(SeeAllAsync);
        setter.Join();

        async Task SeeAllAsync()
        {
            while (seen < rounds)
            {
                long now = Volatile.Read(ref made);
                if (now != seen)
                {
                    Volatile.Write(ref seen, now);
                    continue;
                }

                try
                {
                    await _signal.WaitAsync(source?.Token ?? CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                    Volatile.Write(ref source, new CancellationTokenSource());
                }
            }
        }
    }
}
