using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Bench;

/// <summary>
/// Reads a bulk endpoint with a ring, and reports the processor time. The ring uses either ordinary memory, or device memory that the kernel has allocated. The
/// program <c>memory.c</c> does the same in C.
/// </summary>
internal static class MemoryCommand
{
    public static Command Create()
    {
        Argument<string> memory = new("memory") { Description = "the kind of memory that the ring uses" };
        memory.AcceptOnlyFromAmong("ordinary", "device");
        Argument<int> mebibytes = new("mebibytes") { Description = "the number of MiB to read" };
        Argument<int> size = new("size") { Description = "the number of bytes in a transfer" };
        Argument<int> transfers = new("transfers") { Description = "the number of transfers in flight" };
        Command command = new("memory", "Reads a bulk endpoint into ordinary memory or device memory, and reports the processor time.") { memory, mebibytes, size, transfers };
        command.SetAction((result, _) =>
            Run(result.GetValue(memory) == "device", result.GetValue(mebibytes), result.GetValue(size), result.GetValue(transfers)));
        return command;
    }

    private static async Task<int> Run(bool deviceMemory, int mebibytes, int size, int transfers)
    {
        using var context = new UsbContext();
        using UsbDeviceHandle handle = Endpoints.Open(context, UsbTransferType.Bulk, out UsbEndpoint endpoint);
        using UsbBuffer? memory = deviceMemory ? handle.AllocateBuffer(size * transfers, preferDeviceMemory: true) : null;
        if (memory is { IsDeviceMemory: false })
            throw new InvalidOperationException("The kernel provided no device memory for the buffer.");
        // The ring has no spare buffers. The handler therefore reads the data in place, and the ring then submits the transfer again. The program in C does
        // the same.
        var options = new UsbRingOptions { TransferSize = size, Transfers = transfers, Spares = 0, Memory = memory?.Memory ?? default };
        await using UsbInputRing ring = endpoint.CreateInputRing(options);
        var data = new Data();
        ring.State = data;
        using UsbEventThread events = context.StartEventThread();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        ring.Start<Handler>();
        data.Bytes.WaitFor((long)mebibytes << 20);
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        processor = Environment.CpuUsage.TotalTime - processor;
        long bytes = data.Bytes.Value;
        await ring.StopAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{processor.TotalNanoseconds / (bytes >> 10):F0} ns/KiB of processor time, {bytes / elapsed / 1e6:F1} MB/s, sum {data.Sum:x}, {ring.GetStatistics().Transfers.Failed} failed"));
        return ring.GetStatistics().Transfers.Failed == 0 ? 0 : 1;
    }

    /// <summary>Represents the state of the handler.</summary>
    private sealed class Data
    {
        private ulong _sum;

        public Milestone Bytes { get; } = new();

        public ulong Sum => Volatile.Read(ref _sum);

        /// <summary>Reads one word of each 64 bytes, like a program that looks at all of its data.</summary>
        public void LookAt(ReadOnlySpan<byte> data)
        {
            ulong sum = _sum;
            for (int i = 0; i + sizeof(ulong) <= data.Length; i += 64)
                sum ^= BinaryPrimitives.ReadUInt64LittleEndian(data[i..]);
            Volatile.Write(ref _sum, sum);
            Bytes.Raise(Bytes.Value + data.Length);
        }
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => ((Data)buffer.Ring.State!).LookAt(buffer.Data);
    }
}
