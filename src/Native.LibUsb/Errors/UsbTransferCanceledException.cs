using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Represents an awaited transfer was cancelled: by its token, by <see cref="UsbTransfer.Cancel"/>, by <see cref="UsbDeviceHandle.Reset"/>, or because the
/// transfer, its device handle or the
/// context was disposed. Its callback has run: nothing of it is in flight any more.
/// </summary>
public sealed class UsbTransferCanceledException : OperationCanceledException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="bytesTransferred">Bytes that moved before.</param>
    /// <param name="cancellationToken">The token that requested it, or none.</param>
    public UsbTransferCanceledException(int bytesTransferred, CancellationToken cancellationToken)
        : base(string.Create(CultureInfo.InvariantCulture, $"The transfer was cancelled after {bytesTransferred} bytes."), cancellationToken) =>
        BytesTransferred = bytesTransferred;

    /// <summary>Makes the exception for something that was disposed, with no token.</summary>
    internal UsbTransferCanceledException(string message, int bytesTransferred)
        : base(message) => BytesTransferred = bytesTransferred;

    /// <summary>Gets the number of bytes that moved before the transfer was cancelled; they are in the transfer's buffer.</summary>
    public int BytesTransferred { get; }
}
