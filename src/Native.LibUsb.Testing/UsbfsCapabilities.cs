namespace Native.LibUsb.Testing;

/// <summary>Specifies the capabilities that usbfs reports (USBDEVFS_GET_CAPABILITIES).</summary>
[Flags]
public enum UsbfsCapabilities
{
    /// <summary>An empty packet can end an OUT transfer.</summary>
    ZeroPacket = 0x01,

    /// <summary>Bulk transfers can be split in pieces that fail together.</summary>
    BulkContinuation = 0x02,

    /// <summary>A bulk URB may be larger than 16 KiB.</summary>
    NoPacketSizeLimit = 0x04,

    /// <summary>The host controller takes a bulk transfer whole.</summary>
    BulkScatterGather = 0x08,

    /// <summary>URBs can be reaped after an unplug.</summary>
    ReapAfterDisconnect = 0x10,

    /// <summary>Memory can be mapped from the node (libusb_dev_mem_alloc).</summary>
    Mmap = 0x20,

    /// <summary>The capabilities of a current kernel with an xHCI controller.</summary>
    Default = ZeroPacket | NoPacketSizeLimit | BulkScatterGather | ReapAfterDisconnect | Mmap,

    /// <summary>A controller without scatter-gather: libusb splits bulk transfers in pieces of 16 KiB.</summary>
    WithoutScatterGather = ZeroPacket | BulkContinuation | ReapAfterDisconnect | Mmap,
}
