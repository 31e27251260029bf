namespace Native.LibUsb.Streaming;

/// <summary>What short and zero-length packets mean to who reads a ring as a stream of bytes.</summary>
public enum UsbReadBoundary
{
    /// <summary>Nothing: the bytes of one transfer follow those of the one before, and zero-length packets are not told.</summary>
    None,

    /// <summary>
    /// The end of a message, as devices mark it. Nothing is read across it: a <see cref="UsbInputStream"/> reads 0 bytes once, and a
    /// <see cref="UsbPipeReader"/> says <see cref="UsbPipeReader.EndsMessage"/>. A zero-length packet that follows a full one ends that message; one
    /// that follows an end is an empty message. Not for isochronous endpoints.
    /// </summary>
    ShortPacket,
}

/// <summary>What is done where bytes are missing: what was dropped because the reader was late, and what a failed transfer did not bring.</summary>
public enum UsbReadLoss
{
    /// <summary>
    /// Reading throws a <see cref="UsbException"/> there, once, after all that came before was read; the next read goes on behind it.
    /// <see cref="UsbError.Overflow"/> says that data was dropped.
    /// </summary>
    Throw,

    /// <summary>Reading goes on behind it. <see cref="UsbRing.GetStatistics"/> counts it.</summary>
    Skip,
}
