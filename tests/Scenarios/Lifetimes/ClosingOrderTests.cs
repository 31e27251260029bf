using System.Buffers;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests that the interfaces, the handle and the context can close in any order. While these objects close, the callbacks of 16 transfers submit their
/// transfers again. No callback may throw, no call may hang, and no resource may leak.
/// </summary>
/// <remarks>By default, each row of the theory runs 10 rounds for each of the 24 orders. In eng/long-test.sh, each row runs 1,008 rounds in total.</remarks>
public sealed class ClosingOrderTests : IDisposable
{
    private const int UsualRounds = 10;

    private readonly VirtualBus _bus = TestBus.Create();
    private readonly BusyDevice _device = new();

    public void Dispose() => _bus.Dispose();

    [BusTheory]
    [AllCombinations]
    public void No_callback_throws_and_no_resource_is_left(EventSupply supply, ClosingForm form)
    {
        int rounds = Rounds.Of(UsualRounds);
        List<int[]> orders = [.. Permutations([0, 1, 2, 3])];
        Assert.Equal(24, orders.Count);
        using var watchdog = new Watchdog(60 + (0.1 * rounds * orders.Count), $"{supply}, {form}");
        _bus.Attach(_device);
        UserDataHandles.CollectForgotten();
        Play(supply, form, orders[0], 0); // this round creates the objects that exist once per process
        int filesBefore = OpenFiles();
        // Each round checks the number of the library's own GC handles. In addition, this counter counts all GC handles of the process, including the handles
        // of the runtime.
        using GCHandleCounter? handles = GCHandleCounter.IsAvailable ? new GCHandleCounter() : null;
        long handlesBefore = handles?.Collect() ?? 0;
        foreach (int[] order in orders)
        {
            for (int round = 0; round < rounds; round++)
                Play(supply, form, order, round);
        }

        Assert.Equal(filesBefore, OpenFiles());
        if (handles is null)
            return;
        long limit = handlesBefore + (rounds * orders.Count / 2); // detects one leaked handle per round, and tolerates additional handles of the runtime
        long handlesAfter = handles.Collect();
        if (handlesAfter >= limit)
            handlesAfter = CollectThreadsOfArrayPools(handles, limit);
        Assert.True(handlesAfter < limit, $"The process has {handlesAfter} GC handles, and fewer than {limit} were expected.");
    }

    /// <summary>
    /// Causes the shared array pools to release the GC handles of threads that have ended. A pool creates a handle for each thread that rents an array. After a
    /// thread has ended, the pool keeps the thread's handle until the pool's table of handles is full. The size of the table depends on the number of earlier
    /// threads. This method therefore starts threads that rent arrays. The method stops when the pools have released enough handles, or when it has started
    /// enough threads to fill the largest table.
    /// </summary>
    /// <returns>The number of remaining handles.</returns>
    private static long CollectThreadsOfArrayPools(GCHandleCounter handles, long limit)
    {
        const int threads = 16, largestTable = 8192;
        long count = handles.Collect();
        for (int started = 0; started < largestTable && count >= limit; started += threads)
        {
            Thread[] renters = [.. Enumerable.Range(0, threads).Select(static _ => new Thread(RentAndReturn))];
            Array.ForEach(renters, static thread => thread.Start());
            Array.ForEach(renters, static thread => thread.Join());
            count = handles.Collect();
        }

        return count;
    }

    private static void RentAndReturn()
    {
        Rent<char>();
        Rent<byte>();
        Rent<int>();
    }

    private static void Rent<T>() => ArrayPool<T>.Shared.Return(ArrayPool<T>.Shared.Rent(1));

    private void Play(EventSupply supply, ClosingForm form, int[] order, int round)
    {
        try
        {
            CountingAllocator.Counts before = CountingAllocator.Read();
            int handlesBefore = UserDataHandles.Count;
            using var closing = new ClosingRound(supply);
            closing.Close(order, form, round);
            closing.CheckEnd();
            Assert.Equal(0, _device.Kept);
            CountingAllocator.CheckNothingIsLeft(before);
            Assert.Equal(handlesBefore, UserDataHandles.Count);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Round {round} of the order {string.Join(' ', order)} failed.", exception);
        }
    }

    /// <summary>
    /// Counts the file descriptors that libusb opens. They belong to eventfds, timerfds and device nodes. The runtime's own file descriptors are not counted,
    /// because their number varies.
    /// </summary>
    private static int OpenFiles() => OperatingSystem.IsLinux()
        ? new DirectoryInfo("/proc/self/fd").GetFiles().Count(static file => file.LinkTarget is { } target
            && (target.Contains("/dev/bus/usb", StringComparison.Ordinal) || target.Contains("eventfd", StringComparison.Ordinal)
                || target.Contains("timerfd", StringComparison.Ordinal)))
        : 0;

    private static IEnumerable<int[]> Permutations(int[] items) => items.Length == 0
        ? [[]]
        : items.SelectMany(first => Permutations([.. items.Where(item => item != first)]).Select(rest => (int[])[first, .. rest]));
}
