namespace Native.LibUsb.Streaming;

/// <summary>Specifies what short and zero-length packets mean to a reader of a ring as a stream of bytes.</summary>
public enum UsbReadBoundary
{
    /// <summary>Nothing: the bytes of one transfer follow those of the one before, and zero-length packets are not reported.</summary>
    None,

    /// <summary>
    /// The end of a message, as devices mark it. Nothing is read across it: a <see cref="UsbInputStream"/> reads 0 bytes once, and a
    /// <see cref="UsbPipeReader"/> says <see cref="UsbPipeReader.EndsMessage"/>. A zero-length packet that follows a full one ends that message; one
    /// that follows an end is an empty message. Not for isochronous endpoints.
    /// </summary>
    ShortPacket,
}
