namespace Native.LibUsb.Testing;

/// <summary>Specifies the capabilities that usbfs reports (USBDEVFS_GET_CAPABILITIES).</summary>
[Flags]
public enum UsbfsCapabilities
{
    /// <summary>usbfs can end an OUT transfer with an empty packet.</summary>
    ZeroPacket = 0x01,

    /// <summary>A bulk transfer can be split into several URBs that fail together.</summary>
    BulkContinuation = 0x02,

    /// <summary>A bulk URB may be larger than 16 KiB.</summary>
    NoPacketSizeLimit = 0x04,

    /// <summary>The host controller accepts a bulk transfer of any size as one URB.</summary>
    BulkScatterGather = 0x08,

    /// <summary>URBs can be reaped after the device has been unplugged.</summary>
    ReapAfterDisconnect = 0x10,

    /// <summary>A program can map memory from the device node (<c>libusb_dev_mem_alloc</c>).</summary>
    Mmap = 0x20,

    /// <summary>The capabilities of a current kernel with an xHCI controller.</summary>
    Default = ZeroPacket | NoPacketSizeLimit | BulkScatterGather | ReapAfterDisconnect | Mmap,

    /// <summary>The capabilities of a controller without scatter-gather. With these capabilities, libusb splits bulk transfers into URBs of 16
    /// KiB.</summary>
    WithoutScatterGather = ZeroPacket | BulkContinuation | ReapAfterDisconnect | Mmap,
}
