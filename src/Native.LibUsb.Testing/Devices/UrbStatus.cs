namespace Native.LibUsb.Testing;

/// <summary>Specifies the result of a URB or an isochronous packet: the kernel's negative error numbers, with the code that libusb returns for them.</summary>
public enum UrbStatus
{
    /// <summary>Done. libusb: COMPLETED.</summary>
    Success = 0,

    /// <summary>No such endpoint (ENOENT).</summary>
    NoEndpoint = -2,

    /// <summary>An isochronous packet that was not transferred, or in part (EXDEV). libusb: the packet's status ERROR.</summary>
    Missed = -18,

    /// <summary>The device is gone (ENODEV). libusb: NO_DEVICE.</summary>
    NoDevice = -19,

    /// <summary>The endpoint is halted (EPIPE). libusb: STALL.</summary>
    Stall = -32,

    /// <summary>The host did not get rid of the data in time (ECOMM). libusb: ERROR.</summary>
    BufferOverrun = -70,

    /// <summary>A protocol error: bit stuffing, no response (EPROTO). libusb: ERROR.</summary>
    Protocol = -71,

    /// <summary>The device sent more than was requested (EOVERFLOW). libusb: OVERFLOW.</summary>
    Overflow = -75,

    /// <summary>A checksum error (EILSEQ). libusb: ERROR.</summary>
    Checksum = -84,

    /// <summary>Unlinked by the host (ECONNRESET). libusb: CANCELLED or TIMED_OUT.</summary>
    Unlinked = -104,

    /// <summary>The device or its endpoint was taken away (ESHUTDOWN). libusb: NO_DEVICE.</summary>
    Shutdown = -108,

    /// <summary>A short packet where the host had forbidden it (EREMOTEIO). libusb: ERROR.</summary>
    ShortPacket = -121,
}
