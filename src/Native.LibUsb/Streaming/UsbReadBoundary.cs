namespace Native.LibUsb.Streaming;

/// <summary>Specifies the meaning of short and zero-length packets for a reader of bytes.</summary>
public enum UsbReadBoundary
{
    /// <summary>Short packets have no meaning. The bytes of all transfers form one stream, and zero-length packets are not reported.</summary>
    None,

    /// <summary>
    /// A short packet ends a message, and each read returns bytes of only one message. At the end of a message, a <see cref="UsbInputStream"/> reads 0 bytes
    /// once, and a <see cref="UsbPipeReader"/> sets <see cref="UsbPipeReader.EndsMessage"/>. A zero-length packet after a full packet ends the message of the
    /// full packet. A zero-length packet after the end of a message is an empty message. Isochronous endpoints do not support this value.
    /// </summary>
    ShortPacket,
}
