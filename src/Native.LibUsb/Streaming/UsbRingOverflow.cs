namespace Native.LibUsb.Streaming;

/// <summary>Specifies what a ring that is read does when its reader is late and no buffer is free.</summary>
public enum UsbRingOverflow
{
    /// <summary>
    /// Isochronous rings drop, others wait: a bulk or interrupt device keeps what no thread takes, an isochronous one does not.
    /// </summary>
    Automatic,

    /// <summary>Submits less until the reader has given buffers back. Nothing is lost that the device keeps.</summary>
    Wait,

    /// <summary>Keeps submitting: what arrives is thrown away and counted, and the count comes with the next buffer.</summary>
    Drop,
}
