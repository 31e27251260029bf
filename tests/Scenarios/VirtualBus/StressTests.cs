using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class StressTests
{
    [BusFact]
    public void The_bus_allocates_nothing_per_transfer()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        BulkLoopback loopback = new();
        using RawHost host = new(source, loopback);
        libusb_device_handle* iso = host.Open(source, alternate: 4), bulk = host.Open(loopback);
        using RawTransfer packets = RawTransfer.Iso(host, iso, IsoSource.EndpointAddress, 32, 3072);
        using RawTransfer output = RawTransfer.Bulk(host, bulk, BulkLoopback.OutAddress, 10000);
        using RawTransfer input = RawTransfer.Bulk(host, bulk, BulkLoopback.InAddress, 16384);
        for (int i = 0; i < Rounds.Of(300); i++)
            Round();
        long least = long.MaxValue;
        const int smallestObject = 24;
        int rounds = Rounds.Of(200);
        for (int attempt = 0; attempt < 5 && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < rounds; i++)
                Round();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        // Other threads of the test host sometimes allocate. One object per round would be much more than these allocations.
        Assert.InRange(least, 0, (rounds * smallestObject) - 1);

        void Round()
        {
            packets.Submit();
            input.Submit();
            output.Submit();
            packets.Wait();
            input.Wait();
            output.Wait();
        }
    }

    [BusFact]
    public void Many_threads_submit_cancel_and_close_at_once()
    {
        using Watchdog watchdog = new(120);
        BulkLoopback[] loopbacks = [.. Enumerable.Range(0, 3).Select(_ => new BulkLoopback())];
        using RawHost host = new([.. loopbacks]);
        using CancellationTokenSource stop = new();
        Thread pump = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                timeval limit = new() { tv_sec = 1, tv_usec = 0 };
                RawHost.Check(libusb_handle_events_timeout_completed(host.Context, &limit, null));
            }
        });
        pump.Start();
        Exception? failure = null;
        Thread[] threads = [.. loopbacks.SelectMany(l => new[] { l, l }).Select((loopback, index) => new Thread(() =>
        {
            try
            {
                Random random = new(index);
                for (int round = 0; round < Rounds.Of(40) && failure is null; round++)
                    Churn(host, loopback, random, claim: index % 2 == 0);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        stop.Cancel();
        libusb_interrupt_event_handler(host.Context);
        pump.Join();
        Assert.Null(failure);
        Assert.All(loopbacks, l => Assert.Empty(l.Endpoint(BulkLoopback.InAddress).Pending));
    }

    [BusFact]
    public void Unplugging_under_load_loses_no_transfer()
    {
        using Watchdog watchdog = new(120);
        using RawHost host = new();
        for (int round = 0; round < Rounds.Of(30); round++)
        {
            IsoSource source = new(new IsoSourceOptions { Paced = false });
            host.Bus.Attach(source);
            libusb_device_handle* handle = host.Open(source, alternate: 2);
            RawTransfer[] ring = [.. Enumerable.Range(0, 4).Select(_ => RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, 1024))];
            foreach (RawTransfer transfer in ring)
                transfer.Submit();
            Thread unplug = new(() =>
            {
                source.Source.WaitForSubmitted(5 + (round * 3), TimeSpan.FromSeconds(30));
                host.Bus.Detach(source);
            });
            unplug.Start();
            Queue<RawTransfer> alive = new(ring);
            while (alive.TryDequeue(out RawTransfer? transfer))
                if (transfer.Wait().Status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED && transfer.TrySubmit() == 0)
                    alive.Enqueue(transfer);
            unplug.Join();
            foreach (RawTransfer transfer in ring)
                transfer.Dispose();
            host.Close(handle);
        }
    }

    [BusFact]
    public void Unplugging_between_submission_and_cancellation_loses_no_transfer()
    {
        using Watchdog watchdog = new(120);
        using RawHost host = new();
        for (int round = 0; round < Rounds.Of(100); round++)
        {
            BulkLoopback loopback = new();
            host.Bus.Attach(loopback);
            libusb_device_handle* handle = host.Open(loopback);
            RawTransfer[] transfers = [.. Enumerable.Range(0, 8).Select(_ => RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512))];
            Thread unplug = new(() =>
            {
                loopback.Endpoint(BulkLoopback.InAddress).WaitForSubmitted(20, TimeSpan.FromSeconds(30));
                host.Bus.Detach(loopback);
            });
            unplug.Start();
            for (bool isThere = true; isThere;)
            {
                RawTransfer[] inFlight = [.. transfers.Where(transfer => transfer.TrySubmit() == 0)];
                isThere = inFlight.Length == transfers.Length;
                foreach (RawTransfer transfer in inFlight)
                    _ = libusb_cancel_transfer(transfer.Native);
                foreach (RawTransfer transfer in inFlight)
                    transfer.Wait();
            }

            unplug.Join();
            foreach (RawTransfer transfer in transfers)
                transfer.Dispose();
            host.Close(handle);
        }
    }

    private static void Churn(RawHost host, BulkLoopback loopback, Random random, bool claim)
    {
        RawHost.Check(host.TryOpen(loopback, out libusb_device_handle* handle, keep: false));
        byte status;
        int request = libusb_control_transfer(handle, 0x80, 8, 0, 0, &status, 1, 5000);
        RawHost.Check(request);
        if (claim)
        {
            RawHost.Check(libusb_claim_interface(handle, 0));
            // All callbacks run on the thread that handles events.
            int pending = 0;
            const int count = 8;
            nint* transfers = stackalloc nint[count];
            for (int i = 0; i < count; i++)
            {
                libusb_transfer* transfer = libusb_alloc_transfer(0);
                transfers[i] = (nint)transfer;
                bool input = (i & 1) != 0;
                int length = random.Next(1, 20) * 512;
                libusb_fill_bulk_transfer(transfer, handle, input ? BulkLoopback.InAddress : BulkLoopback.OutAddress, (byte*)NativeMemory.AllocZeroed((nuint)length), length, &OnDone, &pending, 0);
                Interlocked.Increment(ref pending);
                RawHost.Check(libusb_submit_transfer(transfer));
            }
            for (int i = 0; i < count; i++)
                _ = libusb_cancel_transfer((libusb_transfer*)transfers[i]);
            SpinWait spin = default;
            while (Volatile.Read(ref pending) > 0)
                spin.SpinOnce();
            for (int i = 0; i < count; i++)
            {
                NativeMemory.Free(((libusb_transfer*)transfers[i])->buffer);
                libusb_free_transfer((libusb_transfer*)transfers[i]);
            }
        }
        libusb_close(handle);
    }

    [UnmanagedCallersOnly]
    private static void OnDone(libusb_transfer* transfer) => Interlocked.Decrement(ref *(int*)transfer->user_data);
}
