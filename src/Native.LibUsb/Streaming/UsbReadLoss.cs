namespace Native.LibUsb.Streaming;

/// <summary>
/// Specifies the reaction of a reader to missing bytes. Bytes are missing if the ring dropped them because the reader was late, or if a transfer failed.
/// </summary>
public enum UsbReadLoss
{
    /// <summary>
    /// A read throws a <see cref="UsbException"/> once at the place of the loss, after all earlier data was read. The next read continues after the loss.
    /// <see cref="UsbError.DataLost"/> means that the ring dropped data because the reader was late. Other errors are those of a failed transfer.
    /// </summary>
    Throw,

    /// <summary>Reads continue after the loss without an exception. <see cref="UsbRing.GetStatistics"/> counts the loss.</summary>
    Skip,
}
