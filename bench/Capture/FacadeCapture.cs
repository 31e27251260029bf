namespace Native.LibUsb.Bench;

/// <summary>Represents a capture that uses the facade: transfers with a handler, transfers with a delegate, or synchronous reads.</summary>
internal class FacadeCapture(Work work) : Capture(work)
{
    private readonly List<UsbTransfer> _all = [];
    private byte[] _buffer = [];
    private UsbEndpoint? _endpoint; // the endpoint of the synchronous reads

    // The measured thread must handle all events, so the context must not start an event thread. The context logs a warning if an awaitable
    // operation, such as stopping a ring, starts while no thread handles events. The log handler ignores this warning.
    protected UsbContext Context { get; } = new(new UsbContextOptions { ManualEventHandling = true, LogHandler = static (_, _) => { } });

    protected List<UsbDeviceHandle> Handles { get; } = [];

    public override void Open(int first)
    {
        int found = 0;
        foreach (UsbDevice device in Context.GetDevices())
        {
            if (!Work.Matches(device.VendorId, device.ProductId))
                continue;
            int index = found++;
            if (index >= Work.Devices || index % Work.Contexts != first)
                continue;
            UsbDeviceHandle handle = device.Open();
            Handles.Add(handle);
            UsbInterface claimed = handle.ClaimInterface(Work.Interface);
            if (Work.IsIso)
                claimed.SetAlternateSetting(Work.IsoSetting);
            _endpoint ??= claimed.GetEndpoint(Work.Endpoint);
        }

        if (found < Work.Devices)
            throw new InvalidOperationException($"found {found} matching devices, but {Work.Devices} are needed");
    }

    public override void Dispose()
    {
        foreach (UsbDeviceHandle handle in Handles)
            handle.Dispose();
        Context.Dispose();
    }

    public override void Start()
    {
        if (Work.Kind == WorkKind.Sync)
        {
            _buffer = new byte[Work.Size];
            return;
        }

        for (int i = 0; i < Handles.Count * Work.Depth; i++)
        {
            UsbTransfer transfer = Handles[i % Handles.Count].CreateTransfer(Work.Packets);
            _all.Add(transfer);
            transfer.State = Counts;
            if (Work.IsIso)
                transfer.SetIsochronous(Work.Endpoint, Work.Size);
            else
                transfer.SetBulk(Work.Endpoint, Work.Size);
            if (Work.Layer == "delegate")
                transfer.Callback = Work.IsIso ? IsoHandler.OnCompleted : BulkHandler.OnCompleted;
            else if (Work.IsIso)
                transfer.SetHandler<IsoHandler>();
            else
                transfer.SetHandler<BulkHandler>();
            transfer.Submit();
            Counts.InFlight++;
        }
    }

    protected override void RunUntil(long completed)
    {
        if (Work.Kind == WorkKind.Sync)
        {
            Read(completed);
            return;
        }

        while (Counts.Completed < completed)
        {
            Context.HandleEvents();
            if (!IsRunning)
                throw new InvalidOperationException("no transfer is in flight");
        }
    }

    protected virtual bool IsRunning => Counts.InFlight > 0;

    public override void Stop()
    {
        Counts.IsStopping = true;
        while (Counts.InFlight > 0)
            Context.HandleEvents();
        foreach (UsbTransfer transfer in _all)
            transfer.Dispose();
    }

    private void Read(long completed)
    {
        TimeSpan timeout = TimeSpan.FromSeconds(1);
        while (Counts.Completed < completed)
        {
            int actual = _endpoint!.Read(_buffer, timeout);
            if (actual > 0)
            {
                Counts.Bytes += actual;
                Counts.Sum += _buffer[0];
            }
            else
            {
                Counts.Failed++;
            }

            Counts.Completed++;
        }
    }

    private static void Again(Counts counts, UsbTransfer transfer)
    {
        counts.Completed++;
        if (counts.IsStopping || transfer.TrySubmit() != UsbError.Success)
            counts.InFlight--;
    }

    private readonly struct BulkHandler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer)
        {
            var counts = (Counts)transfer.State!;
            ReadOnlySpan<byte> data = transfer.Data;
            if (transfer.Status == UsbTransferStatus.Completed && data.Length > 0)
            {
                counts.Bytes += data.Length;
                counts.Sum += data[0];
            }
            else
            {
                counts.Failed++;
            }

            Again(counts, transfer);
        }
    }

    private readonly struct IsoHandler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer)
        {
            var counts = (Counts)transfer.State!;
            long bytes = 0, sum = 0, failed = 0;
            foreach ((UsbTransferStatus status, ReadOnlySpan<byte> data) in transfer.IterIso())
            {
                if (status == UsbTransferStatus.Completed && data.Length > 0)
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
            Again(counts, transfer);
        }
    }
}
