namespace Native.LibUsb;

/// <summary>Specifies fixed limits of Linux's usbfs. See <see cref="UsbfsMemory"/> for the one that the administrator sets.</summary>
internal static class UsbfsLimits
{
    /// <summary>The largest number of packets of one isochronous URB. libusb makes several URBs of a longer transfer.</summary>
    public const int PacketsPerUrb = 128;

    /// <summary>The largest number of bytes of one bulk or interrupt URB that libusb makes for a controller without scatter-gather. It makes several URBs of a longer transfer.</summary>
    public const int BulkPiece = 16_384;

    /// <summary>The largest number of data bytes of one control transfer.</summary>
    public const int ControlBytes = 4096;

    /// <summary>The largest number of bytes of one isochronous packet, from Linux 5.2.</summary>
    public const int PacketBytes = 98_304;

    /// <summary>The largest number of bytes of one isochronous packet before Linux 5.2.</summary>
    public const int PacketBytesBefore52 = 49_152;

    /// <summary>The largest number of bytes of one isochronous or interrupt URB: the kernel does not divide it into pages, and its allocator has no larger block.</summary>
    public const int ContiguousBytes = 4 << 20;
}
