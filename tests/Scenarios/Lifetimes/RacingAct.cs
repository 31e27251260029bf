namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents an act that one thread performs while another thread performs a second act.</summary>
internal sealed class RacingAct
{
    private readonly string _name;
    private readonly Action<Stage> _do;

    private RacingAct(string name, Action<Stage> action)
    {
        _name = name;
        _do = action;
    }

    /// <summary>Gets the acts on transfers.</summary>
    public static IReadOnlyList<RacingAct> OnTransfers { get; } =
    [
        ToEach("dispose", tested => tested.Transfer.Dispose()),
        ToEach("close", tested => tested.Transfer.Close()),
        ToEach("doom", tested => tested.Transfer.Doom()),
        ToEach("cancel", tested => tested.Transfer.Cancel()),
        ToEach("submit", tested => tested.TrySubmit()),
        ToEach("configure", tested => tested.Configure()),
        ToEach("read", tested => Read(tested.Transfer)),
        new("complete", stage => stage.Device.CompleteAll()),
    ];

    /// <summary>Gets the acts on transfers, and the acts on their device, handle, context and event thread.</summary>
    public static IReadOnlyList<RacingAct> All { get; } =
    [
        .. OnTransfers,
        new("make and submit transfers", stage =>
        {
            for (int i = 0; i < 4; i++)
            {
                UsbTransfer transfer = stage.Handle.CreateTransfer();
                transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength);
                transfer.TrySubmit();
            }
        }),
        new("allocate device memory", stage => stage.Handle.AllocateBuffer(1, preferDeviceMemory: true)),
        new("transfer synchronously", stage => stage.Handle.At(LifetimeDevice.ErrandAddress).Write([1, 2, 3], Stage.Patience)),
        new("open another handle", stage =>
        {
            using UsbDevice? device = stage.Context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product);
            if (device is null)
                return; // unplugged
            UsbTransfer transfer = device.Open().CreateTransfer();
            transfer.SetControl(LifetimeDevice.Request, LifetimeDevice.PacketLength);
            transfer.TrySubmit();
        }),
        new("dispose the handle", stage => stage.Handle.Dispose()),
        new("dispose the context", stage => stage.Context.Dispose()),
        new("stop the event thread", stage => stage.Events?.Dispose()),
        new("unplug", stage => stage.Bus.Detach(stage.Device)),
    ];

    public void Do(Stage stage) => _do(stage);

    public override string ToString() => _name;

    private static RacingAct ToEach(string name, Action<TestedTransfer> action) =>
        new(name, stage => stage.Transfers.ForEach(transfer => Racer.Try(() => action(transfer))));

    private static void Read(UsbTransfer transfer)
    {
        _ = transfer.IsSubmitted;
        _ = transfer.Type;
        _ = transfer.Endpoint;
        _ = transfer.Timeout;
        _ = transfer.IsoPacketCount;
        _ = transfer.Flags;
        _ = transfer.Status;
        _ = transfer.ActualLength;
        _ = transfer.Buffer.Length;
        if (transfer.Type == UsbTransferType.Isochronous)
            transfer.IterIso();
        else
            _ = transfer.Data.Length;
    }
}
