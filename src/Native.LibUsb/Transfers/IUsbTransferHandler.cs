namespace Native.LibUsb;

/// <summary>
/// Represents a static handler that is called when a transfer ends. Such a handler needs no delegate: <see cref="UsbTransfer.SetHandler{THandler}"/> stores the
/// address of <see cref="OnCompleted"/>, and the library calls the method at this address when the transfer ends. The handler can get the objects that it needs
/// from <see cref="UsbTransfer.State"/>.
/// </summary>
public interface IUsbTransferHandler
{
    /// <summary>Handles the end of a transfer, on the thread that handles events. The method may submit the transfer again.</summary>
    /// <param name="transfer">The transfer that ended.</param>
    static abstract void OnCompleted(UsbTransfer transfer);
}
