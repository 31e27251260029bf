using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests that no handler runs and no transfer is in flight after a ring was stopped, and that the statistics are consistent at every moment.</summary>
public sealed class RingStopTests : RingTest
{
    private static readonly UsbRingOptions s_options = new() { TransferSize = 512, Transfers = 4, Spares = 2 };

    [BusFact]
    public async Task No_handler_runs_after_a_stop_and_statistics_are_of_one_moment()
    {
        using UsbInputRing ring = InputRing(Open(new BulkSourceSink()), BulkSourceSink.InAddress, s_options);
        await StopAndStart(ring, Rounds.Of(9000));
    }

    [BusFact]
    [PreloadOnly(KernelLimits.Storms)]
    public async Task No_handler_runs_after_a_stop_when_threads_are_delayed_at_arbitrary_places()
    {
        using UsbInputRing ring = InputRing(Open(new BulkSourceSink()), BulkSourceSink.InAddress, s_options);
        // The storm sends signals to all other threads, with pauses of one millisecond. On some file systems, a system call that is interrupted every
        // millisecond may never end. The storm therefore begins after the test has attached the device.
        using var storm = new SignalStorm(TimeSpan.FromMilliseconds(1), delay: TimeSpan.FromMilliseconds(0.5));
        await StopAndStart(ring, Rounds.Of(2000));
        Assert.True(storm.Interruptions > 0);
    }

    private async Task StopAndStart(UsbInputRing ring, int rounds)
    {
        Context.UnhandledCallbackException += static (_, _) => { };
        bool mayRun = false;
        long calls = 0, late = 0, torn = 0;
        using var ended = new CancellationTokenSource();
        Task reader = Task.Run(() =>
        {
            UsbRingStatistics before = ring.GetStatistics();
            while (!ended.IsCancellationRequested)
            {
                UsbRingStatistics now = ring.GetStatistics();
                // Every transfer of the source completes with a full packet, or is cancelled with all of its data or with none.
                if (now.Bytes % 512 != 0 || now.Bytes < now.Transfers.Completed * 512 || now.Bytes > now.Completions * 512 || now.Completions != now.Transfers.Completed + now.Transfers.Canceled || now.Completions < before.Completions)
                    torn++;
                before = now;
                Thread.Yield(); // valgrind runs one thread at a time, and a spinning reader would slow down the other threads more than valgrind itself
            }
        });
        for (int round = 0; round < rounds; round++)
        {
            Volatile.Write(ref mayRun, true);
            long first = Volatile.Read(ref calls);
            ring.Start(_ =>
            {
                if (!Volatile.Read(ref mayRun))
                    Interlocked.Increment(ref late);
                if (Interlocked.Increment(ref calls) % 3 == 0)
                    throw new InvalidOperationException("thrown by the test");
            });
            if (round % 2 == 0)
                SpinWait.SpinUntil(() => Volatile.Read(ref calls) >= first + (round % 16), Patience);
            await ring.StopAsync().WaitAsync(Patience);
            Volatile.Write(ref mayRun, false);
            Assert.False(ring.IsRunning);
            Assert.True(ring.Completion.IsCompleted);
            Assert.Equal(0, ring.GetStatistics().InFlight);
        }

        await ended.CancelAsync();
        await reader.WaitAsync(Patience);
        Assert.Equal(0, late);
        Assert.Equal(0, torn);
        Assert.True(calls > 0);
    }

    [BusFact]
    public async Task A_stop_waits_for_the_handler_that_runs_unless_the_handler_calls_it()
    {
        using UsbInputRing ring = InputRing(Open(new BulkSourceSink()), BulkSourceSink.InAddress, s_options);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        Task? own = null;
        ring.Start(buffer =>
        {
            if (entered.IsSet)
                return;
            own = buffer.Ring.StopAsync();
            entered.Set();
            Assert.True(leave.Wait(Patience));
        });
        Assert.True(entered.Wait(Patience));
        Task stopping = ring.StopAsync();
        Task disposing = ring.DisposeAsync().AsTask();
        Assert.False(stopping.IsCompleted || disposing.IsCompleted || own!.IsCompleted || ring.Completion.IsCompleted, "The ring is at rest although its handler runs.");
        leave.Set();
        await Task.WhenAll(stopping, disposing, own).WaitAsync(Patience);
    }

    [BusFact]
    public async Task A_stop_waits_for_the_handler_that_fills_the_first_buffers()
    {
        using UsbOutputRing ring = OutputRing(Open(new BulkSourceSink()), BulkSourceSink.OutAddress, s_options);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        Task starting = Task.Run(() => ring.Start(_ =>
        {
            entered.Set();
            Assert.True(leave.Wait(Patience));
        }));
        Assert.True(entered.Wait(Patience));
        Task stopping = ring.StopAsync();
        Assert.False(ring.Completion.IsCompleted, "The ring is at rest although its handler runs.");
        leave.Set();
        await Task.WhenAll(starting, stopping).WaitAsync(Patience);
    }

    [BusFact]
    public void A_ring_of_a_closed_handle_does_not_start()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        using UsbInputRing input = InputRing(handle, BulkSourceSink.InAddress, s_options);
        using UsbOutputRing output = OutputRing(handle, BulkSourceSink.OutAddress, s_options);
        handle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => input.Start());
        Assert.Throws<ObjectDisposedException>(() => input.Start(static _ => { }));
        Assert.Throws<ObjectDisposedException>(() => output.Start());
        Assert.Throws<ObjectDisposedException>(() => output.Start(static _ => { }));
        Assert.True(input.Completion.IsCompleted);
        Assert.True(output.Completion.IsCompleted);
    }

    [BusFact]
    public async Task A_refused_start_leaves_the_running_ring_as_it_is()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        using UsbInputRing input = InputRing(handle, BulkSourceSink.InAddress, s_options);
        using UsbOutputRing output = OutputRing(handle, BulkSourceSink.OutAddress, s_options);
        long right = 0, wrong = 0;
        input.Start(_ => Interlocked.Increment(ref right));
        output.Start(buffer =>
        {
            Interlocked.Increment(ref right);
            buffer.Commit(512);
        });
        Assert.Throws<InvalidOperationException>(() => input.Start(_ => Interlocked.Increment(ref wrong)));
        Assert.Throws<InvalidOperationException>(() => input.Start());
        Assert.Throws<InvalidOperationException>(() => output.Start(_ => Interlocked.Increment(ref wrong)));
        Assert.Throws<InvalidOperationException>(() => output.Start());
        long before = Volatile.Read(ref right);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref right) > before + 100, Patience));
        await input.StopAsync();
        await output.StopAsync();
        Assert.Equal(0, wrong);
    }
}
