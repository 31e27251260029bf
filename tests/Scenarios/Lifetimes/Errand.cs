namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Runs an action in the callback of a transfer that completes at once, on the thread that runs callbacks.</summary>
internal sealed class Errand
{
    private readonly UsbTransfer _transfer;

    // This transfer is the last one of the handle. A closing handle stops its transfers one by one, and this transfer last.
    public Errand(UsbDeviceHandle handle)
    {
        _transfer = handle.CreateTransfer();
    }

    /// <summary>Submits the transfer whose callback runs <paramref name="action"/>. The action may run after this method has returned.</summary>
    public void Begin(Action<UsbTransfer> action)
    {
        _transfer.SetBulk(LifetimeDevice.ErrandAddress, 0, action);
        _transfer.Submit();
    }
}
