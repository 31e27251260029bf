namespace Native.LibUsb.Streaming;

/// <summary>Specifies the reaction of an input ring to a late reader, when no buffer is free.</summary>
public enum UsbRingOverflow
{
    /// <summary>
    /// Isochronous rings use <see cref="Drop"/>, and other rings use <see cref="Wait"/>. A bulk or interrupt device keeps its data until the host takes the
    /// data, but an isochronous device does not.
    /// </summary>
    Automatic,

    /// <summary>
    /// The ring submits fewer transfers until the reader has returned buffers. No data is lost if the device can keep its data during this time.
    /// </summary>
    Wait,

    /// <summary>
    /// The ring continues to submit transfers. It discards the data that arrives while no buffer is free. The next buffer reports the amount of the discarded
    /// data (<see cref="UsbInputBuffer.LostBefore"/>).
    /// </summary>
    Drop,
}
