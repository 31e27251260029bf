namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Has something done in a callback, whichever thread runs callbacks: by a transfer that is done at once.</summary>
internal sealed class Errand
{
    private readonly UsbTransfer _transfer;

    // Made after all other transfers of the handle: what a closing handle does to its transfers one by one it has done when it does it to this.
    public Errand(UsbDeviceHandle handle)
    {
        _transfer = handle.CreateTransfer();
    }

    /// <summary>Begins; what is to be done has not been done when it returns.</summary>
    public void Begin(Action<UsbTransfer> action)
    {
        _transfer.SetBulk(LifetimeDevice.ErrandAddress, 0, action);
        _transfer.Submit();
    }
}
