namespace Native.LibUsb;

/// <summary>
/// Specifies how a transfer, or one isochronous packet, ended. Some data may have been transferred even if the status is an error.
/// <see cref="UsbTransfer.ActualLength"/> and <see cref="UsbIsoPacket.ActualLength"/> return the number of bytes that were transferred.
/// </summary>
public enum UsbTransferStatus
{
    /// <summary>
    /// The transfer ran to its end, possibly with fewer bytes than requested. Each packet of an isochronous transfer has its own status, and may have failed
    /// even if the transfer has the status Completed.
    /// </summary>
    Completed = 0,

    /// <summary>The transfer failed on the bus: the device did not answer, a checksum was wrong, or a service interval was missed.</summary>
    Error = 1,

    /// <summary>The time limit of the transfer expired.</summary>
    TimedOut = 2,

    /// <summary>The transfer was cancelled.</summary>
    Canceled = 3,

    /// <summary>
    /// The endpoint is halted, or the device does not support the control request. <see cref="UsbEndpoint.ClearHalt"/> ends the halt of an endpoint.
    /// </summary>
    Stall = 4,

    /// <summary>The device was unplugged.</summary>
    NoDevice = 5,

    /// <summary>The device sent more bytes than fit into the buffer. To avoid this error, read a multiple of the packet size.</summary>
    Overflow = 6,
}
