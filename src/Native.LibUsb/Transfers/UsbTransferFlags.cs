namespace Native.LibUsb;

/// <summary>
/// Specifies how a transfer treats its last packet. libusb's flags that free the buffer or the transfer are not here: the library owns both.
/// </summary>
[Flags]
public enum UsbTransferFlags
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A transfer shorter than requested ends with <see cref="UsbTransferStatus.Error"/>. Not for isochronous transfers.</summary>
    ShortIsError = 1 << 0,

    /// <summary>
    /// An OUT transfer whose length is a multiple of the packet size is followed by a packet of length zero, so that the device sees its end.
    /// Linux, macOS and WinUSB; elsewhere the submission fails with <see cref="UsbError.NotSupported"/>.
    /// </summary>
    AddZeroPacket = 1 << 3,
}
