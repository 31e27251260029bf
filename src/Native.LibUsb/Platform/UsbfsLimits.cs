namespace Native.LibUsb;

/// <summary>Specifies fixed limits of Linux's usbfs. See <see cref="UsbfsMemory"/> for the one that the administrator sets.</summary>
internal static class UsbfsLimits
{
    /// <summary>Packets of one isochronous URB. libusb makes several URBs of a longer transfer.</summary>
    public const int PacketsPerUrb = 128;

    /// <summary>Bytes of one bulk or interrupt URB that libusb makes for a controller without scatter-gather. It makes several URBs of a longer transfer.</summary>
    public const int BulkPiece = 16_384;

    /// <summary>Bytes of data of one control transfer.</summary>
    public const int ControlBytes = 4096;

    /// <summary>Bytes of one isochronous packet, from Linux 5.2.</summary>
    public const int PacketBytes = 98_304;

    /// <summary>Bytes of one isochronous packet before Linux 5.2.</summary>
    public const int PacketBytesBefore52 = 49_152;

    /// <summary>Bytes of one isochronous or interrupt URB: the kernel does not divide it into pages, and its allocator has no larger block.</summary>
    public const int ContiguousBytes = 4 << 20;
}
