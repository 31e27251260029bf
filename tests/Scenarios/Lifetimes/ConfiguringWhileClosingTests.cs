namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests callbacks that use freed transfers. When an interface or a handle closes, it frees its transfers. If a callback then configures or submits one of
/// these transfers, the call throws no exception, because the callback cannot determine which objects are closing.
/// </summary>
public sealed class ConfiguringWhileClosingTests : ClosingTest
{
    private const int Packets = 2;

    private readonly UsbDeviceHandle _otherHandle;

    public ConfiguringWhileClosingTests()
    {
        using UsbDevice found = Context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!;
        _otherHandle = found.Open(); // a closing context closes this handle after the first one
    }

    public static TheoryData<Closed, bool> Rows() => new()
    {
        { Closed.Interface, false },
        { Closed.Handle, false },
        { Closed.Handle, true },
        { Closed.Context, false },
        { Closed.Context, true },
    };

    [BusTheory]
    [MemberData(nameof(Rows))]
    public void A_callback_configures_and_submits_a_freed_transfer_without_an_exception(Closed what, bool ofHandle)
    {
        UsbTransfer freed = Make(ofHandle);
        var failures = new List<string>();
        UsbError? tried = null;
        bool wasDisposed = false, isSubmitted = true;
        RunInCallback(
            () =>
            {
                wasDisposed = freed.IsDisposed;
                foreach ((string name, Action<UsbTransfer> set) in Configurations())
                {
                    if (Record.Exception(() => set(freed)) is { } exception)
                        failures.Add($"{name}: {exception.Message}");
                    if (Record.Exception(freed.Submit) is { } refused)
                        failures.Add($"Submit after {name}: {refused.Message}");
                }

                tried = freed.TrySubmit();
                isSubmitted = freed.IsSubmitted;
            },
            what);
        Assert.True(wasDisposed);
        Assert.Empty(failures);
        Assert.Equal(UsbError.Closed, tried);
        Assert.False(isSubmitted);
        foreach ((string name, Action<UsbTransfer> set) in Configurations()) // outside of callbacks, the configuration is refused
        {
            Exception? refused = Record.Exception(() => set(freed));
            Assert.True(refused is ObjectDisposedException, $"{name}: {refused}");
        }
    }

    [BusFact]
    public void A_transfer_that_the_program_has_disposed_is_refused_in_a_callback_too()
    {
        UsbTransfer disposed = Make(ofHandle: true);
        disposed.Dispose();
        var accepted = new List<string>();
        RunInCallback(
            () =>
            {
                foreach ((string name, Action<UsbTransfer> set) in Configurations())
                {
                    if (Record.Exception(() => set(disposed)) is not ObjectDisposedException)
                        accepted.Add(name);
                }
            },
            Closed.Handle);
        Assert.Empty(accepted);
    }

    /// <summary>Gets every method that configures a transfer.</summary>
    private static IEnumerable<(string Name, Action<UsbTransfer> Set)> Configurations()
    {
        const byte input = LifetimeDevice.BulkAddress, output = LifetimeDevice.ErrandAddress, isochronous = LifetimeDevice.IsochronousAddress;
        var write = new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Vendor, UsbRecipient.Device, 1, 0, 0);
        byte[] memory = new byte[512];
        yield return (nameof(UsbTransfer.SetControl), static transfer => transfer.SetControl(LifetimeDevice.Request, 8));
        yield return (nameof(UsbTransfer.SetControlCopy), transfer => transfer.SetControlCopy(write, memory));
        yield return (nameof(UsbTransfer.SetControlPinned), transfer => transfer.SetControlPinned(LifetimeDevice.Request, memory));
        yield return (nameof(UsbTransfer.SetBulk), static transfer => transfer.SetBulk(input, 512));
        yield return (nameof(UsbTransfer.SetBulkCopy), transfer => transfer.SetBulkCopy(output, memory));
        yield return (nameof(UsbTransfer.SetBulkPinned), transfer => transfer.SetBulkPinned(input, memory));
        yield return (nameof(UsbTransfer.SetBulkStream), static transfer => transfer.SetBulkStream(input, 1, 512));
        yield return (nameof(UsbTransfer.SetBulkStreamCopy), transfer => transfer.SetBulkStreamCopy(output, 1, memory));
        yield return (nameof(UsbTransfer.SetBulkStreamPinned), transfer => transfer.SetBulkStreamPinned(input, 1, memory));
        yield return (nameof(UsbTransfer.SetInterrupt), static transfer => transfer.SetInterrupt(input, 512));
        yield return (nameof(UsbTransfer.SetInterruptCopy), transfer => transfer.SetInterruptCopy(output, memory));
        yield return (nameof(UsbTransfer.SetInterruptPinned), transfer => transfer.SetInterruptPinned(input, memory));
        yield return (nameof(UsbTransfer.SetIsochronous), static transfer => transfer.SetIsochronous(isochronous, 256));
        yield return (nameof(UsbTransfer.SetIsochronousCopy), transfer => transfer.SetIsochronousCopy(output, memory));
        yield return (nameof(UsbTransfer.SetIsochronousPinned), transfer => transfer.SetIsochronousPinned(isochronous, memory));
        yield return (nameof(UsbTransfer.SetBuffer), static transfer => transfer.SetBuffer(512));
        yield return (nameof(UsbTransfer.SetBufferPinned), transfer => transfer.SetBufferPinned(memory));
        yield return (nameof(UsbTransfer.Flags), static transfer => transfer.Flags = UsbTransferFlags.None);
    }

    private UsbTransfer Make(bool ofHandle)
    {
        UsbTransfer transfer = ofHandle ? Handle.CreateTransfer(Packets) : Interface.GetEndpoint(LifetimeDevice.BulkAddress).CreateTransfer(Packets);
        transfer.SetBulk(LifetimeDevice.BulkAddress, 512);
        return transfer;
    }

    /// <summary>
    /// Closes an object and runs an action in a callback. The callback belongs to a transfer of <c>_otherHandle</c>. If the object is the context, the callback
    /// runs while the context closes. Otherwise, the callback runs after the object has closed.
    /// </summary>
    private void RunInCallback(Action action, Closed what)
    {
        bool ran = false;
        UsbTransfer trigger = _otherHandle.CreateTransfer();
        trigger.SetControl(LifetimeDevice.Request, 8, _ =>
        {
            action();
            ran = true;
        });
        trigger.Submit();
        Close(what);
        if (what != Closed.Context)
        {
            trigger.Cancel();
            HandleEventsUntil(() => ran);
        }

        Assert.True(ran);
    }
}
