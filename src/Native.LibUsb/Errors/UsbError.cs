namespace Native.LibUsb;

/// <summary>
/// Specifies how an operation failed. Values down to -99 are those of <c>enum libusb_error</c>; values from -1001 are this library's own, and
/// libusb never returns them.
/// </summary>
public enum UsbError
{
    /// <summary>No error.</summary>
    Success = 0,

    /// <summary>
    /// The bus or the operating system reported an input/output error. On Linux it also stands for memory that the kernel
    /// refused to an isochronous or control transfer (see <see cref="UsbException.Hint"/>).
    /// </summary>
    IO = -1,

    /// <summary>libusb or the operating system refused an argument.</summary>
    InvalidParameter = -2,

    /// <summary>No permission. On Linux the device node is not writable for this user: a udev rule is missing.</summary>
    Access = -3,

    /// <summary>The device is gone: unplugged, or reset to another configuration.</summary>
    NoDevice = -4,

    /// <summary>The requested object does not exist: interface, alternate setting, endpoint, descriptor, transfer in flight.</summary>
    NotFound = -5,

    /// <summary>Another owner holds it: another process or a kernel driver has claimed the interface, or a callback is running.</summary>
    Busy = -6,

    /// <summary>The time ran out. Bytes may have moved before that.</summary>
    Timeout = -7,

    /// <summary>The device sent more than was requested; the surplus is lost. Ask for whole packets.</summary>
    Overflow = -8,

    /// <summary>The endpoint is halted (it answered STALL), or the device does not know the control request.</summary>
    Pipe = -9,

    /// <summary>A signal interrupted the call.</summary>
    Interrupted = -10,

    /// <summary>No memory. On Linux often the usbfs limit (<c>usbfs_memory_mb</c>), not the machine's memory.</summary>
    NoMemory = -11,

    /// <summary>The operating system, or this version of libusb, does not offer it.</summary>
    NotSupported = -12,

    /// <summary>Anything else.</summary>
    Other = -99,

    /// <summary>
    /// The transfer, interface, device handle or context was closed or is closing, so nothing was submitted. Returned by Try methods that are
    /// called inside a callback; other threads get an <see cref="ObjectDisposedException"/>.
    /// </summary>
    Closed = -1001,

    /// <summary>The operation was canceled: by a token, by <see cref="UsbTransfer.Cancel"/>, or because the transfer or its owner was closed while it was in
    /// flight.</summary>
    Canceled = -1002,

    /// <summary>Data that had arrived was discarded, because its reader was too slow.</summary>
    DataLost = -1003,
}
