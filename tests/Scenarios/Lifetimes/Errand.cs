namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Runs an action in the callback of a transfer that completes immediately. The action therefore runs on the thread that runs callbacks.</summary>
internal sealed class Errand
{
    private readonly UsbTransfer _transfer;

    // A test creates this transfer after all other transfers of the handle. When the handle is closed, it stops its transfers in the order of their creation,
    // and therefore stops this transfer last.
    public Errand(UsbDeviceHandle handle)
    {
        _transfer = handle.CreateTransfer();
    }

    /// <summary>Submits the transfer. The callback of the transfer runs <paramref name="action"/>, possibly after this method has returned.</summary>
    public void Begin(Action<UsbTransfer> action)
    {
        _transfer.SetBulk(LifetimeDevice.ErrandAddress, 0, action);
        _transfer.Submit();
    }
}
