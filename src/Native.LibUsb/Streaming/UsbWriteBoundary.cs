namespace Native.LibUsb.Streaming;

/// <summary>Specifies whether a writer of bytes marks the ends of messages.</summary>
public enum UsbWriteBoundary
{
    /// <summary>The writer does not mark the ends of messages. A flush sends the bytes that were written, and adds no zero-length packet.</summary>
    None,

    /// <summary>
    /// The writer ends each message with a packet that is not full. If the bytes of a message fill its last packet, a zero-length packet follows. A flush also
    /// ends the current message. Isochronous endpoints do not support this value.
    /// </summary>
    ShortPacket,
}
