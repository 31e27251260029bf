namespace Native.LibUsb.Streaming;

/// <summary>
/// Specifies the reaction of a reader to missing bytes. Bytes are missing if the ring dropped them because the reader was late, or if a transfer failed.
/// </summary>
public enum UsbReadLoss
{
    /// <summary>
    /// After the program has read all data before the loss, the next read throws a <see cref="UsbException"/>. The read after that continues with the data
    /// after the loss. <see cref="UsbError.DataLost"/> means that the ring dropped data because the reader was late. Any other error is the error of a failed
    /// transfer.
    /// </summary>
    Throw,

    /// <summary>Reads continue with the data after the loss, and throw no exception. <see cref="UsbRing.GetStatistics"/> counts the loss.</summary>
    Skip,
}
