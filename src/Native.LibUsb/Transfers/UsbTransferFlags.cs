namespace Native.LibUsb;

/// <summary>
/// Specifies how a transfer treats its last packet. The enumeration omits libusb's flags that free the buffer or the transfer, because the library frees both
/// objects itself.
/// </summary>
[Flags]
public enum UsbTransferFlags
{
    /// <summary>No flag is set.</summary>
    None = 0,

    /// <summary>
    /// If a transfer moves fewer bytes than requested, it ends with <see cref="UsbTransferStatus.Error"/>. Isochronous transfers cannot have this flag.
    /// </summary>
    ShortIsError = 1 << 0,

    /// <summary>
    /// If the length of an OUT transfer is a multiple of the packet size, a packet of length zero follows. With this packet, the device can detect the end of
    /// the transfer. The flag works on Linux, on macOS and with WinUSB. On other platforms, the submission fails with <see cref="UsbError.NotSupported"/>.
    /// </summary>
    AddZeroPacket = 1 << 3,
}
