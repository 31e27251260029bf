namespace Native.LibUsb;

/// <summary>
/// Specifies the result of an operation. The values from 0 to -99 are those of <c>enum libusb_error</c>. The values from -1001 downwards belong to this
/// library, and libusb never returns them.
/// </summary>
public enum UsbError
{
    /// <summary>No error.</summary>
    Success = 0,

    /// <summary>
    /// The bus or the operating system reported an input/output error. On Linux, libusb also reports this error if the kernel refuses to allocate memory for an
    /// isochronous or control transfer (see <see cref="UsbException.Hint"/>).
    /// </summary>
    IO = -1,

    /// <summary>libusb or the operating system refused an argument.</summary>
    InvalidParameter = -2,

    /// <summary>
    /// The process has no permission. On Linux, the usual cause is a missing udev rule: without the rule, the user cannot write to the device node.
    /// </summary>
    Access = -3,

    /// <summary>The device is gone: it was unplugged, or it changed its configuration in a reset.</summary>
    NoDevice = -4,

    /// <summary>The requested object (interface, alternate setting, endpoint, descriptor or transfer in flight) does not exist.</summary>
    NotFound = -5,

    /// <summary>The object is in use, for example because another process or a kernel driver has claimed the interface. A synchronous libusb function also
    /// returns this value if it is called in a callback.</summary>
    Busy = -6,

    /// <summary>The timeout expired. Some bytes may have been transferred before.</summary>
    Timeout = -7,

    /// <summary>The device sent more bytes than were requested, and the excess bytes are lost. Request a multiple of the packet size to avoid this
    /// error.</summary>
    Overflow = -8,

    /// <summary>The endpoint is halted (it answered with STALL), or the device does not support the control request.</summary>
    Pipe = -9,

    /// <summary>A signal interrupted the call.</summary>
    Interrupted = -10,

    /// <summary>Memory could not be allocated. On Linux, the cause is often the usbfs limit (<c>usbfs_memory_mb</c>) rather than the machine's
    /// memory.</summary>
    NoMemory = -11,

    /// <summary>The operating system, or this version of libusb, does not support the operation.</summary>
    NotSupported = -12,

    /// <summary>libusb reported an error that has no other code.</summary>
    Other = -99,

    /// <summary>
    /// The transfer, interface, device handle or context is closed or closing, so nothing was submitted. Inside a callback, methods such as
    /// <see cref="UsbTransfer.TrySubmit()"/> return this value. Outside a callback, these methods throw an <see cref="ObjectDisposedException"/>. An awaited
    /// method such as <see cref="UsbEndpoint.TryClearHaltAsync"/> also returns this value if the interface or the device handle is closed after the call and
    /// before the library sends the request.
    /// </summary>
    Closed = -1001,

    /// <summary>
    /// A token or <see cref="UsbTransfer.Cancel"/> cancelled the operation. This error also occurs if the transfer or its owner is closed while the transfer is
    /// in flight.
    /// </summary>
    Canceled = -1002,

    /// <summary>The library discarded received data because the program read too slowly.</summary>
    DataLost = -1003,
}
