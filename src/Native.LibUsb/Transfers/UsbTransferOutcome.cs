namespace Native.LibUsb;

/// <summary>Represents the outcome of an awaited transfer, which <see cref="UsbTransfer.TrySubmitAsync"/> returns.</summary>
/// <param name="Error">
/// <see cref="UsbError.Success"/> when it ran to its end, though it may be short; <see cref="UsbError.Canceled"/> when it was cancelled;
/// otherwise what went wrong: <see cref="UsbError.Timeout"/>, <see cref="UsbError.Pipe"/> (stall), <see cref="UsbError.NoDevice"/>,
/// <see cref="UsbError.Overflow"/>, <see cref="UsbError.IO"/>, or why libusb refused to submit it.
/// </param>
/// <param name="BytesTransferred">
/// Bytes that moved, regardless of the error; they are in the transfer's buffer. Of an isochronous transfer the sum over its packets.
/// </param>
public readonly record struct UsbTransferOutcome(UsbError Error, int BytesTransferred)
{
    internal static UsbError ErrorOf(UsbTransferStatus status) => status switch
    {
        UsbTransferStatus.Completed => UsbError.Success,
        UsbTransferStatus.TimedOut => UsbError.Timeout,
        UsbTransferStatus.Canceled => UsbError.Canceled,
        UsbTransferStatus.Stall => UsbError.Pipe,
        UsbTransferStatus.NoDevice => UsbError.NoDevice,
        UsbTransferStatus.Overflow => UsbError.Overflow,
        _ => UsbError.IO,
    };
}
