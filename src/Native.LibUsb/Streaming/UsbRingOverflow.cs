namespace Native.LibUsb.Streaming;

/// <summary>Specifies the reaction of an input ring to a late reader, when no buffer is free.</summary>
public enum UsbRingOverflow
{
    /// <summary>
    /// The ring uses <see cref="Drop"/> on an isochronous endpoint, and <see cref="Wait"/> on any other endpoint. A device keeps bulk or interrupt data until
    /// the host takes the data, but does not keep isochronous data.
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
