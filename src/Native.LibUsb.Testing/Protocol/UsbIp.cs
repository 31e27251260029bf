namespace Native.LibUsb.Testing;

/// <summary>Numbers of the USB/IP protocol. All fields on the wire are big endian, except the setup packet.</summary>
internal static class UsbIp
{
    public const ushort Version = 0x0111;
    public const ushort RequestDeviceList = 0x8005, ReplyDeviceList = 0x0005, RequestImport = 0x8003, ReplyImport = 0x0003;
    public const int BusIdSize = 32, DeviceSize = 312, HeaderSize = 48, IsoSize = 16, EndpointEntrySize = 6, EndpointTableSize = 32 * EndpointEntrySize;
    public const uint Submit = 1, Unlink = 2, ReturnSubmit = 3, ReturnUnlink = 4;

    /// <summary>Ours: see <see cref="HostOperation"/>. The kernel never sends it.</summary>
    public const uint Host = 0x8001, ReturnHost = 0x8003;

    public const uint ShortNotOk = 0x01, ZeroPacket = 0x40;

    /// <summary>Ours, from the preload only: a piece of the same bulk transfer as the one before it.</summary>
    public const uint Continuation = 0x40000000;

    /// <summary>Ours, from the preload only: the start frame is the time of the submission, in microframes of the machine's monotonic clock.</summary>
    public const uint HasTime = 0x20000000;

    /// <summary>The bit beside the speed in the record of a device with which the bus demands a request of the preload before each submission.</summary>
    public const byte AsksBeforeSubmission = 0x80;

    /// <summary>The status of a refused import that names a device as the kernel does: 1 is "not available".</summary>
    public const uint NotAvailable = 1;

    /// <summary>More packets or bytes than any host sends: the peer does not speak the protocol.</summary>
    public const int MaxPackets = 1024, MaxLength = 1 << 30;
}
