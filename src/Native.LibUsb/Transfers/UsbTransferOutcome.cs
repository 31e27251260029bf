namespace Native.LibUsb;

/// <summary>Represents the outcome of an awaited transfer. <see cref="UsbTransfer.TrySubmitAsync"/> returns this outcome.</summary>
/// <param name="Error">
/// <see cref="UsbError.Success"/> if the transfer completed, even if it moved fewer bytes than requested. <see cref="UsbError.Canceled"/> if the transfer was
/// cancelled. If the endpoint stalled, the error is <see cref="UsbError.Pipe"/>. If the transfer failed for another reason, the error is
/// <see cref="UsbError.Timeout"/>, <see cref="UsbError.NoDevice"/>, <see cref="UsbError.Overflow"/> or <see cref="UsbError.IO"/>. If libusb refused the
/// submission, the error is the error code that libusb returned.
/// </param>
/// <param name="BytesTransferred">
/// The number of bytes that were transferred, even after an error. The bytes are in the transfer's buffer. For an isochronous transfer, the number is the sum
/// for all packets.
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
