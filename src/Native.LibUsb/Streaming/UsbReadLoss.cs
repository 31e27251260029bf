namespace Native.LibUsb.Streaming;

/// <summary>Specifies what is done where bytes are missing: what was dropped because the reader was late, and what a failed transfer did not bring.</summary>
public enum UsbReadLoss
{
    /// <summary>
    /// Reading throws a <see cref="UsbException"/> there, once, after all that came before was read; the next read goes on behind it.
    /// <see cref="UsbError.DataLost"/> says that data was dropped because the reader was late; the other codes say how a transfer failed.
    /// </summary>
    Throw,

    /// <summary>Reading goes on behind it. <see cref="UsbRing.GetStatistics"/> counts it.</summary>
    Skip,
}
