namespace Native.LibUsb.Streaming;

/// <summary>Specifies the reaction of a ring that reads when its reader is late and no buffer is free.</summary>
public enum UsbRingOverflow
{
    /// <summary>
    /// Isochronous rings use <see cref="Drop"/>, and other rings use <see cref="Wait"/>. A bulk or interrupt device keeps data that the host does not take, but
    /// an isochronous device does not.
    /// </summary>
    Automatic,

    /// <summary>The ring submits fewer transfers until the reader has returned buffers. Data that the device keeps is not lost.</summary>
    Wait,

    /// <summary>The ring continues to submit transfers. It discards and counts the data that arrives, and the next buffer contains the count.</summary>
    Drop,
}
