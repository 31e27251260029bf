using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Bench;

/// <summary>Streams a given number of packets or transfers, and reports how much memory the whole process allocates during the stream.</summary>
internal static class AllocationCommand
{
    private const int Packets = 32, BulkSize = 512, Transfers = 16, Reads = 4, PoolThreads = 2;

    public static Command Create()
    {
        Argument<string> consumer = new("consumer") { Description = $"the consumer of the data: {string.Join(", ", Consumers.Names)}" };
        consumer.AcceptOnlyFromAmong(Consumers.Names);
        Argument<string> kind = new("kind") { Description = "the kind of transfers: iso or bulk" };
        kind.AcceptOnlyFromAmong("iso", "bulk");
        Argument<long> count = new("count") { Description = "the number of isochronous packets or bulk transfers" };
        Command command = new("allocations", "Reports how much memory the process allocates while it streams data.") { consumer, kind, count };
        command.SetAction((result, _) => Run(result.GetValue(consumer)!, result.GetValue(kind) == "iso", result.GetValue(count)));
        return command;
    }

    private static async Task<int> Run(string consumer, bool isochronous, long count)
    {
        // The thread pool has a fixed number of threads, because starting or ending a thread would allocate memory during the measurement.
        ThreadPool.SetMinThreads(PoolThreads, 1);
        ThreadPool.SetMaxThreads(PoolThreads, 1);
        using var context = new UsbContext();
        using UsbEventThread events = context.StartEventThread();
        using UsbDeviceHandle handle = Endpoints.Open(context, isochronous ? UsbTransferType.Isochronous : UsbTransferType.Bulk, out UsbEndpoint endpoint);
        var progress = new Progress();
        if (consumer == "submit-async")
        {
            var stop = new StopFlag();
            byte address = endpoint.Address;
            int size = isochronous ? endpoint.Descriptor.BytesPerInterval : BulkSize;
            Task[] loops = [.. Enumerable.Range(0, Transfers).Select(_ => Await(handle, address, size, isochronous, progress, stop))];
            Measure(consumer, isochronous, count, progress);
            stop.Value = true;
            await Task.WhenAll(loops);
            return 0;
        }

        if (consumer == "endpoint-read")
        {
            if (isochronous)
                throw new InvalidOperationException("The consumer endpoint-read cannot read isochronous data.");
            var stop = new StopFlag();
            Task[] loops = [.. Enumerable.Range(0, Reads).Select(_ => Consumers.ReadEndpointAsync(endpoint, BulkSize, progress, stop))];
            Measure(consumer, isochronous, count, progress);
            stop.Value = true;
            await Task.WhenAll(loops);
            return 0;
        }

        var options = new UsbRingOptions { Transfers = Transfers, Overflow = UsbRingOverflow.Wait };
        options = isochronous ? options with { PacketsPerTransfer = Packets } : options with { TransferSize = BulkSize };
        using UsbInputRing ring = endpoint.CreateInputRing(options);
        Task consuming = Task.Run(() => Consumers.RunAsync(consumer, ring, progress, isochronous ? ring.PacketSize : ring.TransferSize));
        Measure(consumer, isochronous, count, progress);
        await ring.StopAsync();
        await consuming;
        return 0;
    }

    private static async Task Await(UsbDeviceHandle handle, byte endpoint, int size, bool isochronous, Progress progress, StopFlag stop)
    {
        using UsbTransfer transfer = handle.CreateTransfer(isochronous ? Packets : 0);
        if (isochronous)
            transfer.SetIsochronous(endpoint, size);
        else
            transfer.SetBulk(endpoint, size);
        await Consumers.AwaitTransferAsync(transfer, progress, stop);
    }

    private static void Measure(string consumer, bool isochronous, long count, Progress progress)
    {
        long warm = Math.Max(count / 5, 1000);
        progress.WaitFor(warm); // afterwards, the pools are filled and the frequently executed code is compiled
        _ = GC.GetTotalAllocatedBytes(true) + GC.CollectionCount(0);
        long units = progress.Units, start = Stopwatch.GetTimestamp();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        int collections = GC.CollectionCount(0);
        long allocated = GC.GetTotalAllocatedBytes(true);
        progress.WaitFor(units + count);
        allocated = GC.GetTotalAllocatedBytes(true) - allocated;
        collections = GC.CollectionCount(0) - collections;
        processor = Environment.CpuUsage.TotalTime - processor;
        units = progress.Units - units;
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{consumer,-13} {(isochronous ? "iso packets   " : "bulk transfers")} {units,10} {seconds,8:F2} s {processor.TotalSeconds * 1e9 / units,7:F0} ns of processor time each   allocated {allocated} bytes, {collections} collections"));
    }
}
