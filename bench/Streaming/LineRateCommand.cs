using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Bench;

/// <summary>
/// Reads an isochronous stream that the device sends in real time at line rate, and reports the lost packets, the causes of the losses and the processor time.
/// </summary>
internal static class LineRateCommand
{
    public static Command Create()
    {
        Argument<int> seconds = new("seconds") { Description = "the duration in seconds of the device's clock" };
        Argument<int> transfers = new("transfers") { Description = "the number of transfers in flight" };
        Argument<int> packets = new("packets") { Description = "the number of packets in each transfer" };
        Command command = new("line", "Reads an isochronous stream that the device sends in real time, and reports the losses and the processor time.") { seconds, transfers, packets };
        command.SetAction((result, _) => Run(result.GetValue(seconds), result.GetValue(transfers), result.GetValue(packets)));
        return command;
    }

    private static async Task<int> Run(int seconds, int transfers, int packets)
    {
        using var context = new UsbContext();
        using UsbEventThread events = context.StartEventThread();
        using UsbDeviceHandle handle = Endpoints.Open(context, UsbTransferType.Isochronous, out UsbEndpoint endpoint);
        using UsbInputRing ring = endpoint.CreateInputRing(new UsbRingOptions { PacketsPerTransfer = packets, Transfers = transfers, Spares = 0 });
        long rate = (long)(1 / endpoint.Descriptor.ServiceInterval.TotalSeconds);
        var line = new Line();
        ring.State = line;
        ring.Start<Handler>();
        line.Next.WaitFor(rate);
        _ = GC.GetTotalAllocatedBytes(true) + Environment.CpuUsage.TotalTime.Ticks;
        int collections = GC.CollectionCount(0);
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp(), bytes = line.Bytes, got = line.Packets;
        long allocated = GC.GetTotalAllocatedBytes(true);
        line.Next.WaitFor(rate * (seconds + 1L));
        allocated = GC.GetTotalAllocatedBytes(true) - allocated;
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        processor = Environment.CpuUsage.TotalTime - processor;
        collections = GC.CollectionCount(0) - collections;
        bytes = line.Bytes - bytes;
        got = line.Packets - got;
        await ring.StopAsync();
        UsbRingStatistics statistics = ring.GetStatistics();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{got} packets, {bytes / elapsed / 1e6:F3} MB/s, lost {line.Lost + statistics.PacketStatuses.Failed}, processor {processor.TotalSeconds:F3} s ({processor.TotalSeconds / elapsed * 100:F2} %), " +
            $"allocated {allocated} bytes, {collections} collections, at least {statistics.LowestInFlight} of {transfers} transfers in flight, longest callback {statistics.LongestCallback.TotalMilliseconds:F3} ms, " +
            $"{statistics.MissedIntervals} intervals missed, {statistics.MissedWhileLate} of them while the event thread was late, longest delay of the event thread {statistics.LongestDelay.TotalMilliseconds:F1} ms, " +
            $"bad packets {statistics.PacketStatuses.Failed}"));
        return line.Lost + statistics.PacketStatuses.Failed == 0 ? 0 : 1;
    }

    /// <summary>Represents the state of the handler. The device numbers its packets. The handler uses these numbers to detect missing packets.</summary>
    private sealed class Line
    {
        private long _packets, _bytes, _lost;

        /// <summary>Gets the number that the next packet should have.</summary>
        public Milestone Next { get; } = new();

        public long Packets => Volatile.Read(ref _packets);

        public long Bytes => Volatile.Read(ref _bytes);

        public long Lost => Volatile.Read(ref _lost);

        public void Add(UsbInputBuffer buffer)
        {
            long next = Next.Value;
            foreach (UsbRingPacket packet in buffer.Packets)
            {
                if (packet.Data.Length < sizeof(long))
                    continue;
                long number = BinaryPrimitives.ReadInt64LittleEndian(packet.Data);
                _lost += number - next;
                next = number + 1;
                _packets++;
                _bytes += packet.Data.Length;
            }

            Next.Raise(next);
        }
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => ((Line)buffer.Ring.State!).Add(buffer);
    }
}
