using System.Buffers.Binary;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>An endpoint of an alternate setting.</summary>
public readonly ref struct UsbEndpointDescriptor : IUsbDescriptorView<UsbEndpointDescriptor>
{
    private const int CompanionSize = 6;
    private const int PacketSizeMask = 0x07ff;
    private const int ExtraPacketsShift = 11;
    private const int ExtraPacketsMask = 3;
    private const int TransferTypeMask = 3;

    private readonly UsbConfigurationDescriptor _owner;
    private readonly EndpointRecord _record;

    private UsbEndpointDescriptor(UsbConfigurationDescriptor owner, EndpointRecord record)
    {
        _owner = owner;
        _record = record;
    }

    /// <summary><c>bEndpointAddress</c>, with the direction bit: 0x81 is IN 1.</summary>
    public byte Address => _record.Address;

    /// <summary>Its number, 1 to 15.</summary>
    public int Number => UsbEndpointAddress.Number(Address);

    /// <summary>Which way data goes.</summary>
    public UsbDirection Direction => UsbEndpointAddress.IsIn(Address) ? UsbDirection.In : UsbDirection.Out;

    /// <summary><c>bmAttributes</c>.</summary>
    public byte Attributes => _record.Attributes;

    /// <summary>The kind of transfers it takes.</summary>
    public UsbTransferType TransferType => (UsbTransferType)(Attributes & TransferTypeMask);

    /// <summary>
    /// <c>wMaxPacketSize</c> as it is: bits 0 to 10 are bytes, and at high speed bits 11 and 12 the further packets of a microframe.
    /// </summary>
    public ushort RawMaxPacketSize => _record.MaxPacketSize;

    /// <summary>Bytes of the largest packet.</summary>
    public int MaxPacketSize => RawMaxPacketSize & PacketSizeMask;

    /// <summary>Packets in one microframe: 1 to 3 at high speed for isochronous and interrupt endpoints, otherwise 1.</summary>
    public int PacketsPerMicroframe =>
        _owner.Speed == UsbSpeed.High && IsPeriodic ? 1 + ((RawMaxPacketSize >> ExtraPacketsShift) & ExtraPacketsMask) : 1;

    /// <summary>
    /// Bytes that a periodic endpoint (isochronous or interrupt) may move in one service interval, and so the length of one isochronous
    /// packet: packets of a microframe together at high speed, <c>wBytesPerInterval</c> at SuperSpeed. For other endpoints the packet size.
    /// </summary>
    public int BytesPerInterval =>
        IsPeriodic && TryGetCompanion(out UsbSuperSpeedCompanion companion) && companion.BytesPerInterval > 0
            ? companion.BytesPerInterval
            : MaxPacketSize * PacketsPerMicroframe;

    /// <summary><c>bInterval</c> as it is; see <see cref="ServiceInterval"/>.</summary>
    public byte Interval => _record.Interval;

    /// <summary>
    /// The time between two packets of a periodic endpoint: <c>bInterval</c> in frames, or 2^(bInterval-1) frames or microframes, as speed
    /// and type say. Zero for other endpoints.
    /// </summary>
    public TimeSpan ServiceInterval
    {
        get
        {
            if (!IsPeriodic)
                return TimeSpan.Zero;
            bool microframes = _owner.Speed >= UsbSpeed.High;
            long unit = microframes ? TimeSpan.TicksPerMillisecond / 8 : TimeSpan.TicksPerMillisecond;
            bool exponent = microframes || TransferType == UsbTransferType.Isochronous;
            return TimeSpan.FromTicks(unit * (exponent ? 1L << (Math.Clamp((int)Interval, 1, 16) - 1) : Math.Max((int)Interval, 1)));
        }
    }

    /// <summary><c>bRefresh</c> of audio endpoints.</summary>
    public byte Refresh => _record.Refresh;

    /// <summary><c>bSynchAddress</c> of audio endpoints.</summary>
    public byte SyncAddress => _record.SyncAddress;

    /// <summary>Descriptors of classes or makers that follow the endpoint's own, as they are.</summary>
    public ReadOnlySpan<byte> Extra => _record.Extra;

    private bool IsPeriodic => TransferType is UsbTransferType.Isochronous or UsbTransferType.Interrupt;

    static UsbEndpointDescriptor IUsbDescriptorView<UsbEndpointDescriptor>.View(UsbConfigurationDescriptor owner, object record) => new(owner, (EndpointRecord)record);

    /// <summary>The SuperSpeed companion descriptor, which SuperSpeed endpoints have.</summary>
    /// <param name="companion">Its content, when there is one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetCompanion(out UsbSuperSpeedCompanion companion)
    {
        foreach (ReadOnlySpan<byte> descriptor in new UsbExtraDescriptors(Extra))
        {
            if (descriptor[1] == (byte)libusb_descriptor_type.LIBUSB_DT_SS_ENDPOINT_COMPANION && descriptor.Length >= CompanionSize)
            {
                companion = new UsbSuperSpeedCompanion(descriptor[2], descriptor[3], BinaryPrimitives.ReadUInt16LittleEndian(descriptor[4..]));
                return true;
            }
        }

        companion = default;
        return false;
    }
}

/// <summary>What a SuperSpeed endpoint says besides its endpoint descriptor.</summary>
/// <param name="MaxBurst"><c>bMaxBurst</c>: packets of a burst less one, 0 to 15.</param>
/// <param name="Attributes"><c>bmAttributes</c>: for bulk the exponent of the number of streams, for isochronous bursts less one.</param>
/// <param name="BytesPerInterval"><c>wBytesPerInterval</c>: bytes that a periodic endpoint moves in one service interval.</param>
public readonly record struct UsbSuperSpeedCompanion(byte MaxBurst, byte Attributes, ushort BytesPerInterval);
