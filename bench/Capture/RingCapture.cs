using Native.LibUsb.Streaming;

namespace Native.LibUsb.Bench;

/// <summary>Represents a capture that uses rings. Rings submit their transfers themselves, deliver data in order and count losses.</summary>
internal sealed class RingCapture(Work work, bool timestamps) : FacadeCapture(work)
{
    private readonly List<UsbInputRing> _rings = [];

    protected override bool IsRunning => _rings.TrueForAll(static ring => ring.IsRunning);

    public override void Start()
    {
        foreach (UsbDeviceHandle handle in Handles)
        {
            var options = new UsbRingOptions { Transfers = Work.Depth, Timestamps = timestamps };
            options = Work.IsIso
                ? options with { PacketsPerTransfer = Work.Packets, PacketSize = Work.Size }
                : options with { TransferSize = Work.Size };
            UsbInputRing ring = handle.ClaimInterface(Work.Interface).GetEndpoint(Work.Endpoint).CreateInputRing(options);
            ring.State = Counts;
            _rings.Add(ring);
            if (Work.IsIso)
                ring.Start<IsoHandler>();
            else
                ring.Start<BulkHandler>();
        }
    }

    public override void Stop()
    {
        Task stopping = Task.WhenAll(_rings.ConvertAll(static ring => ring.StopAsync()));
        while (!stopping.IsCompleted)
            Context.HandleEvents(TimeSpan.FromMilliseconds(100));
        _rings.ForEach(static ring => ring.Dispose());
    }

    private readonly struct BulkHandler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer)
        {
            var counts = (Counts)buffer.Ring.State!;
            ReadOnlySpan<byte> data = buffer.Data;
            if (data.Length > 0)
            {
                counts.Bytes += data.Length;
                counts.Sum += data[0];
            }
            else
            {
                counts.Failed++;
            }

            counts.Completed++;
        }
    }

    private readonly struct IsoHandler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer)
        {
            var counts = (Counts)buffer.Ring.State!;
            long bytes = 0, sum = 0, failed = 0;
            foreach (UsbRingPacket packet in buffer.Packets)
            {
                ReadOnlySpan<byte> data = packet.Data;
                if (packet.Status == UsbTransferStatus.Completed && data.Length > 0)
                {
                    bytes += data.Length;
                    sum += data[0];
                }
                else
                {
                    failed++;
                }
            }

            counts.Failed += failed;
            counts.Bytes += bytes;
            counts.Sum += sum;
            counts.Completed++;
        }
    }
}
