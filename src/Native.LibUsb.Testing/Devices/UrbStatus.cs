namespace Native.LibUsb.Testing;

/// <summary>
/// Specifies the result of a URB or an isochronous packet. The values are the kernel's negative error numbers. In the summary of a member, the name in
/// parentheses is the kernel's name for the error, and the name after "libusb:" is the status or error that libusb reports.
/// </summary>
public enum UrbStatus
{
    /// <summary>The transfer succeeded. libusb: COMPLETED.</summary>
    Success = 0,

    /// <summary>The endpoint does not exist (ENOENT).</summary>
    NoEndpoint = -2,

    /// <summary>An isochronous packet was not transferred, or was transferred only in part (EXDEV). libusb: the packet's status is ERROR.</summary>
    Missed = -18,

    /// <summary>The device is disconnected (ENODEV). libusb: NO_DEVICE.</summary>
    NoDevice = -19,

    /// <summary>The endpoint is halted (EPIPE). libusb: STALL.</summary>
    Stall = -32,

    /// <summary>The host did not process the received data in time (ECOMM). libusb: ERROR.</summary>
    BufferOverrun = -70,

    /// <summary>A protocol error occurred, such as a bit stuffing error or no response (EPROTO). libusb: ERROR.</summary>
    Protocol = -71,

    /// <summary>The device sent more than was requested (EOVERFLOW). libusb: OVERFLOW.</summary>
    Overflow = -75,

    /// <summary>A checksum error occurred (EILSEQ). libusb: ERROR.</summary>
    Checksum = -84,

    /// <summary>The host unlinked the URB (ECONNRESET). libusb: CANCELLED or TIMED_OUT.</summary>
    Unlinked = -104,

    /// <summary>The device was disconnected, or its endpoint was disabled (ESHUTDOWN). libusb: NO_DEVICE.</summary>
    Shutdown = -108,

    /// <summary>The device sent a short packet, which the host had declared an error (EREMOTEIO). libusb: ERROR.</summary>
    ShortPacket = -121,
}
