using System.Buffers;
using System.IO.Pipelines;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Bench;

/// <summary>
/// Provides the ways to consume the data of an endpoint. Each consumer of a ring starts the ring, counts the data, and ends when the ring ends.
/// </summary>
internal static class Consumers
{
    public static readonly string[] Names = ["handler", "delegate", "submit-async", "endpoint-read", "read-async", "read-all", "stream", "pipe"];

    public static async Task RunAsync(string name, UsbInputRing ring, Progress progress, int size)
    {
        ring.State = progress;
        switch (name)
        {
            case "handler":
                ring.Start<Handler>();
                await ring.Completion;
                break;
            case "delegate":
                ring.Start(buffer => Count(buffer, progress));
                await ring.Completion;
                break;
            case "read-async":
                ring.Start();
                while (true)
                {
                    using UsbInputBuffer buffer = await ring.ReadAsync();
                    if (buffer.IsNone)
                        return;
                    Count(buffer, progress);
                }

            case "read-all":
                ring.Start();
                await foreach (UsbInputBuffer buffer in ring.ReadAllAsync())
                    Count(buffer, progress);
                break;
            case "stream":
                await ReadStreamAsync(ring, progress, size);
                break;
            default:
                await ReadPipeAsync(ring, progress, size);
                break;
        }
    }

    /// <summary>Submits and awaits one transfer repeatedly.</summary>
    public static async Task AwaitTransferAsync(UsbTransfer transfer, Progress progress, StopFlag stop)
    {
        while (!stop.Value)
        {
            UsbTransferOutcome outcome = await transfer.TrySubmitAsync();
            if (outcome.Error != UsbError.Success)
                throw new UsbException(outcome.Error, "stream");
            int units = transfer.IsoPacketCount == 0 ? 1 : GoodPackets(transfer);
            progress.Add(units, outcome.BytesTransferred);
        }
    }

    /// <summary>Reads from an endpoint repeatedly. Each read has a token that could cancel it.</summary>
    public static async Task ReadEndpointAsync(UsbEndpoint endpoint, int size, Progress progress, StopFlag stop)
    {
        using var cancellation = new CancellationTokenSource();
        byte[] buffer = new byte[size];
        while (!stop.Value)
        {
            int bytes = await endpoint.ReadAsync(buffer, cancellation.Token);
            progress.Add(1, bytes);
        }
    }

    private static int GoodPackets(UsbTransfer transfer)
    {
        int packets = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
            packets += packet.Status == UsbTransferStatus.Completed ? 1 : 0;
        return packets;
    }

    private static async Task ReadStreamAsync(UsbInputRing ring, Progress progress, int size)
    {
        ring.Start();
        await using UsbInputStream stream = ring.AsStream(UsbReadBoundary.None, UsbReadLoss.Skip);
        byte[] buffer = new byte[ring.TransferSize];
        long bytes = 0, told = 0;
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
        {
            bytes += count;
            progress.Add((int)((bytes / size) - told), count);
            told = bytes / size;
        }
    }

    private static async Task ReadPipeAsync(UsbInputRing ring, Progress progress, int size)
    {
        ring.Start();
        PipeReader reader = ring.AsPipeReader(UsbReadBoundary.None, UsbReadLoss.Skip);
        long bytes = 0, told = 0;
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            ReadOnlySequence<byte> data = result.Buffer;
            bytes += data.Length;
            progress.Add((int)((bytes / size) - told), data.Length);
            told = bytes / size;
            reader.AdvanceTo(data.End);
            if (result.IsCompleted)
                break;
        }

        await reader.CompleteAsync();
    }

    private static void Count(UsbInputBuffer buffer, Progress progress)
    {
        if (buffer.PacketCount == 0)
        {
            progress.Add(buffer.Status == UsbTransferStatus.Completed ? 1 : 0, buffer.Length);
            return;
        }

        int good = 0;
        foreach (UsbRingPacket packet in buffer.Packets)
            good += packet.Status == UsbTransferStatus.Completed ? 1 : 0;
        progress.Add(good, buffer.Length);
    }

    private readonly struct Handler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => Count(buffer, (Progress)buffer.Ring.State!);
    }
}

/// <summary>Represents the flag that ends the loops.</summary>
internal sealed class StopFlag
{
    public volatile bool Value;
}
