namespace Native.LibUsb.Testing;

/// <summary>Defines the constants of the USB/IP protocol. All fields are big endian, except the setup packet.</summary>
internal static class UsbIp
{
    public const ushort Version = 0x0111;
    public const ushort RequestDeviceList = 0x8005, ReplyDeviceList = 0x0005, RequestImport = 0x8003, ReplyImport = 0x0003;
    public const int BusIdSize = 32, DeviceSize = 312, HeaderSize = 48, IsoSize = 16, EndpointEntrySize = 6, EndpointTableSize = 32 * EndpointEntrySize;
    public const uint Submit = 1, Unlink = 2, ReturnSubmit = 3, ReturnUnlink = 4;

    /// <summary>
    /// The types of the messages with which the preload library extends the protocol (see <see cref="HostOperation"/>). The kernel never sends these
    /// messages.
    /// </summary>
    public const uint Host = 0x8001, ReturnHost = 0x8003;

    public const uint ShortNotOk = 0x01, ZeroPacket = 0x40;

    /// <summary>A flag of the preload library: the URB continues the bulk transfer of the URB before it.</summary>
    public const uint Continuation = 0x40000000;

    /// <summary>
    /// A flag that the preload library sets in a submission. If the flag is set, the start frame field contains the time of the submission, in microframes of
    /// the machine's monotonic clock.
    /// </summary>
    public const uint HasTime = 0x20000000;

    /// <summary>
    /// A flag in the speed field of a record. The bus sends this record to the preload library to describe a device. If the flag is set, the preload library
    /// must request permission from the bus before each submission.
    /// </summary>
    public const byte AsksBeforeSubmission = 0x80;

    /// <summary>
    /// If an import request names a device by its sysfs name and the bus refuses the request, the bus answers with this status. In USB/IP, the value 1 means
    /// "not available".
    /// </summary>
    public const uint NotAvailable = 1;

    /// <summary>Limits that no host exceeds. A peer that exceeds them does not implement the protocol.</summary>
    public const int MaxPackets = 1024, MaxLength = 1 << 30;
}
