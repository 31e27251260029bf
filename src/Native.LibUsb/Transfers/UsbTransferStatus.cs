namespace Native.LibUsb;

/// <summary>
/// Specifies how a transfer, or one isochronous packet, ended. Every status but <see cref="Completed"/> may still come with data: look at the actual
/// length.
/// </summary>
public enum UsbTransferStatus
{
    /// <summary>
    /// It ran to its end. For an isochronous transfer that says nothing of its packets, which have a status each; for others it may be short.
    /// </summary>
    Completed = 0,

    /// <summary>It failed on the bus (no answer, bad checksum, missed interval).</summary>
    Error = 1,

    /// <summary>Its time ran out.</summary>
    TimedOut = 2,

    /// <summary>It was cancelled.</summary>
    Canceled = 3,

    /// <summary>The endpoint halted, or the device does not know the control request. Recover with <see cref="UsbEndpoint.ClearHalt"/>.</summary>
    Stall = 4,

    /// <summary>The device was unplugged.</summary>
    NoDevice = 5,

    /// <summary>The device sent more than the buffer holds: ask for whole packets.</summary>
    Overflow = 6,
}
