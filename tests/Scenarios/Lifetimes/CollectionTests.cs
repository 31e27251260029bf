using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests that the garbage collector collects objects that the program has dropped, and that several threads can open and close objects at the same time.
/// </summary>
public sealed class CollectionTests : BusTest
{
    private static int s_callbacks;

    private readonly BulkLoopback _loopback = new();

    public CollectionTests()
    {
        s_callbacks = 0;
        Bus.Attach(_loopback);
    }

    [BusFact]
    public void A_forgotten_context_whose_event_thread_was_stopped_is_collected_with_all_it_had()
    {
        for (int round = 0; round < 5; round++)
        {
            WeakReference[] forgotten = Forget();
            CollectUntil(() => !Array.Exists(forgotten, one => one.IsAlive)); // returns, because no finaliser waits for another thread
            Open(_loopback).Dispose(); // succeeds only if the handle is closed and its interface is free
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference[] Forget()
        {
            var context = new UsbContext();
            UsbEventThread events = context.StartEventThread();
            (UsbDeviceHandle handle, UsbTransfer transfer) = Use(context);
            Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
            events.Dispose();
            return [new(context), new(events), new(handle), new(transfer), new(handle.Device)];
        }
    }

    [BusFact]
    public void A_forgotten_context_whose_event_thread_runs_goes_on_until_it_is_disposed()
    {
        WeakReference<UsbContext> forgotten = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        int before = Volatile.Read(ref s_callbacks);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref s_callbacks) > before + 100, Patience)); // its transfer is still submitted again and again
        Assert.True(forgotten.TryGetTarget(out UsbContext? context));
        context.Dispose();
        Open(_loopback).Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference<UsbContext> Forget()
        {
            var context = new UsbContext();
            context.StartEventThread();
            (_, UsbTransfer transfer) = Use(context);
            Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
            transfer.Callback = static t =>
            {
                Interlocked.Increment(ref s_callbacks);
                _ = Record.Exception(t.Submit);
            };
            transfer.Submit();
            return new WeakReference<UsbContext>(context);
        }
    }

    [BusFact]
    public void A_handle_that_is_forgotten_while_events_are_handled_is_closed()
    {
        using UsbEventThread events = Context.StartEventThread();
        for (int round = 0; round < 10; round++)
        {
            WeakReference handle = Forget();
            CollectUntil(() => !handle.IsAlive);
            Open(_loopback).Dispose();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Forget()
        {
            (UsbDeviceHandle handle, UsbTransfer transfer) = Use(Context);
            Assert.True(SpinWait.SpinUntil(() => !transfer.IsSubmitted, Patience));
            return new WeakReference(handle);
        }
    }

    [BusFact]
    public void Many_threads_open_use_and_close_at_once()
    {
        const int count = 4, rounds = 50;
        using UsbEventThread events = Context.StartEventThread();
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(number => new Thread(() => failure = Record.Exception(() =>
        {
            var random = new Random(number);
            for (int round = 0; round < rounds && failure is null; round++)
            {
                using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
                UsbDeviceHandle handle = device.Open();
                UsbTransfer[] transfers = [.. Enumerable.Range(0, 5).Select(_ => handle.CreateTransfer())];
                foreach (UsbTransfer transfer in transfers)
                {
                    transfer.SetControl(new UsbControlSetup(0x80, 6, 0x0100, 0), 18);
                    transfer.Submit();
                }

                if (random.Next(2) == 0)
                    transfers[2].Dispose();
                Assert.Equal(1, handle.GetConfiguration());
                handle.Dispose();
                Assert.All(transfers, transfer => Assert.True(transfer.IsDisposed));
            }
        }) ?? failure))];
        Array.ForEach(threads, thread => thread.Start());
        Assert.All(threads, thread => Assert.True(thread.Join(Patience)));
        Assert.Null(failure);
    }

    [BusFact]
    public void Many_threads_make_dispose_and_forget_transfers_of_one_handle()
    {
        const int count = 4, rounds = 5000;
        UsbDeviceHandle handle = Open(_loopback);
        var kept = new UsbTransfer[count];
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(number => new Thread(() => failure = Record.Exception(() =>
        {
            for (int round = 0; round < rounds && failure is null; round++)
            {
                UsbTransfer transfer = handle.CreateTransfer();
                if (round % 100 == 0)
                    kept[number] = transfer; // the previous transfer is forgotten, and the collector disposes it
                else
                    transfer.Dispose();
            }
        }) ?? failure))];
        Array.ForEach(threads, thread => thread.Start());
        Assert.All(threads, thread => Assert.True(thread.Join(Patience)));
        Assert.Null(failure);
        handle.Dispose();
        Assert.All(kept, transfer => Assert.True(transfer.IsDisposed));
    }

    /// <summary>Opens the device, claims its interface, and submits a transfer that completes by itself.</summary>
    private static (UsbDeviceHandle Handle, UsbTransfer Transfer) Use(UsbContext context)
    {
        UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        handle.AllocateBuffer(4096);
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.OutAddress, new byte[1], static _ => Interlocked.Increment(ref s_callbacks));
        transfer.Submit();
        return (handle, transfer);
    }
}
