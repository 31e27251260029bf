namespace Native.LibUsb.Streaming;

/// <summary>
/// Specifies how a reader reacts to missing bytes. Bytes are missing if the ring dropped them because the reader was late, or if a transfer failed.
/// </summary>
public enum UsbReadLoss
{
    /// <summary>
    /// The program first reads all data that arrived before the loss. The next read throws a <see cref="UsbException"/>. Later reads return the data that
    /// arrived after the loss. <see cref="UsbError.DataLost"/> means that the ring dropped data because the reader was late. Any other error is the error of a
    /// failed transfer.
    /// </summary>
    Throw,

    /// <summary>Reads continue with the data after the loss, and throw no exception. <see cref="UsbRing.GetStatistics"/> counts the loss.</summary>
    Skip,
}
