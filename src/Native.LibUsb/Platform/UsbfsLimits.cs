namespace Native.LibUsb;

/// <summary>Specifies the fixed limits of Linux's usbfs. <see cref="UsbfsMemory"/> reads the memory limit, which the administrator can change.</summary>
internal static class UsbfsLimits
{
    /// <summary>The largest number of packets in one isochronous URB. libusb divides a transfer with more packets into several URBs.</summary>
    public const int PacketsPerUrb = 128;

    /// <summary>The largest number of bytes in one bulk or interrupt URB that libusb submits to a controller without scatter-gather. libusb divides a longer
    /// transfer into several URBs.</summary>
    public const int BulkPiece = 16_384;

    /// <summary>The largest number of data bytes of one control transfer.</summary>
    public const int ControlBytes = 4096;

    /// <summary>The largest number of bytes of one isochronous packet, from Linux 5.2.</summary>
    public const int PacketBytes = 98_304;

    /// <summary>The largest number of bytes of one isochronous packet before Linux 5.2.</summary>
    public const int PacketBytesBefore52 = 49_152;

    /// <summary>
    /// The largest number of bytes in one isochronous or interrupt URB. The kernel stores the data of such a URB in one block of memory. The constant is the
    /// size of the largest block that the kernel can allocate. If the controller has no scatter-gather, libusb divides interrupt transfers into smaller URBs
    /// (<see cref="BulkPiece"/>).
    /// </summary>
    public const int ContiguousBytes = 4 << 20;
}
