namespace Native.LibUsb.Streaming;

/// <summary>Specifies whether a writer of a ring as a stream of bytes marks the ends of messages.</summary>
public enum UsbWriteBoundary
{
    /// <summary>No: flushing sends what was written, and nothing else. No zero-length packet is ever sent.</summary>
    None,

    /// <summary>
    /// Yes: a message ends with a packet that is not full, and where its bytes fill the last packet, with a zero-length packet. Flushing ends the
    /// message that was begun. Not for isochronous endpoints.
    /// </summary>
    ShortPacket,
}
