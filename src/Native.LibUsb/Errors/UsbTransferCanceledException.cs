using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Represents the cancellation of an awaited transfer. A transfer is cancelled when its token is cancelled, and when the program calls
/// <see cref="UsbTransfer.Cancel"/> or <see cref="UsbDeviceHandle.Reset"/>. It is also cancelled when the program disposes the transfer, its interface, its
/// device handle or the context. When the exception is thrown, the transfer's callback has already run, and the transfer is no longer in flight.
/// </summary>
public sealed class UsbTransferCanceledException : OperationCanceledException
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="bytesTransferred">The number of bytes that were transferred before the cancellation.</param>
    /// <param name="cancellationToken">The token that requested the cancellation, or <see cref="CancellationToken.None"/>.</param>
    public UsbTransferCanceledException(int bytesTransferred, CancellationToken cancellationToken)
        : base(string.Create(CultureInfo.InvariantCulture, $"The transfer was cancelled after {bytesTransferred} bytes."), cancellationToken) =>
        BytesTransferred = bytesTransferred;

    /// <summary>Initializes the exception for an object that was disposed, without a token.</summary>
    internal UsbTransferCanceledException(string message, int bytesTransferred)
        : base(message) => BytesTransferred = bytesTransferred;

    /// <summary>Gets the number of bytes that were transferred before the cancellation. Received bytes are in the transfer's buffer.</summary>
    public int BytesTransferred { get; }
}
