namespace Native.LibUsb;

/// <summary>
/// Handles completions without a delegate: the compiler knows the method when it compiles <see cref="UsbTransfer.SetHandler{THandler}"/>,
/// so nothing is looked up and the body can be inlined. The handler reaches the objects that it needs through <see cref="UsbTransfer.State"/>.
/// </summary>
public interface IUsbTransferHandler
{
    /// <summary>Runs on the thread that handles events, when the transfer has ended. It may submit the transfer again.</summary>
    /// <param name="transfer">The transfer that ended.</param>
    static abstract void OnCompleted(UsbTransfer transfer);
}
