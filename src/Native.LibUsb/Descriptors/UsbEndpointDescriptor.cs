using System.Buffers.Binary;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents an endpoint of an alternate setting.</summary>
public sealed unsafe class UsbEndpointDescriptor
{
    private const int CompanionSize = 6;
    private const int PacketSizeMask = 0x07ff;
    private const int ExtraPacketsShift = 11;
    private const int ExtraPacketsMask = 3;
    private const int TransferTypeMask = 3;

    private readonly UsbSpeed _speed; // decides what some fields mean
    private readonly byte[] _extra;

    internal UsbEndpointDescriptor(libusb_endpoint_descriptor* native, UsbSpeed speed)
    {
        _speed = speed;
        Address = native->bEndpointAddress;
        Attributes = native->bmAttributes;
        RawMaxPacketSize = native->wMaxPacketSize;
        Interval = native->bInterval;
        Refresh = native->bRefresh;
        SyncAddress = native->bSynchAddress;
        _extra = ExtraBytes.Copy(native->extra, native->extra_length);
    }

    /// <summary>Gets <c>bEndpointAddress</c>, with the direction bit: 0x81 is IN 1.</summary>
    public byte Address { get; }

    /// <summary>Gets the endpoint's number, 1 to 15.</summary>
    public int Number => UsbEndpointAddress.Number(Address);

    /// <summary>Gets the direction of the data.</summary>
    public UsbDirection Direction => UsbEndpointAddress.IsIn(Address) ? UsbDirection.In : UsbDirection.Out;

    /// <summary>Gets <c>bmAttributes</c>.</summary>
    public byte Attributes { get; }

    /// <summary>Gets the type of the transfers that the endpoint takes.</summary>
    public UsbTransferType TransferType => (UsbTransferType)(Attributes & TransferTypeMask);

    /// <summary>
    /// Gets <c>wMaxPacketSize</c> unchanged. Bits 0 to 10 are the packet size in bytes. At high speed, bits 11 and 12 are the number of additional packets in a
    /// microframe.
    /// </summary>
    public ushort RawMaxPacketSize { get; }

    /// <summary>Gets the size of the largest packet in bytes.</summary>
    public int MaxPacketSize => RawMaxPacketSize & PacketSizeMask;

    /// <summary>Gets the number of packets in one microframe: 1 to 3 for isochronous and interrupt endpoints at high speed, otherwise 1.</summary>
    public int PacketsPerMicroframe => _speed == UsbSpeed.High ? PeriodicPackets : 1;

    /// <summary>
    /// Gets the number of bytes that a periodic endpoint (isochronous or interrupt) may transfer in one service interval. This number is also the maximum
    /// length of an isochronous packet in a libusb transfer. At SuperSpeed, the value is <c>wBytesPerInterval</c>. At high speed, the value is the packet size
    /// multiplied by the number of packets in a microframe. At lower speeds, and for endpoints that are not periodic, the value is the packet size.
    /// </summary>
    public int BytesPerInterval =>
        IsPeriodic && TryGetCompanion(out UsbSuperSpeedCompanion companion) && companion.BytesPerInterval > 0
            ? companion.BytesPerInterval
            : MaxPacketSize * PacketsPerMicroframe;

    /// <summary>Gets <c>bInterval</c> unchanged; see <see cref="ServiceInterval"/>.</summary>
    public byte Interval { get; }

    /// <summary>
    /// Gets the length of a periodic endpoint's service interval. In each interval, the endpoint may transfer up to <see cref="BytesPerInterval"/> bytes. At
    /// high speed and above, the length is 2^(bInterval-1) microframes. At lower speeds, the length is 2^(bInterval-1) frames for isochronous endpoints, and
    /// <c>bInterval</c> frames for interrupt endpoints. For endpoints that are not periodic, the value is zero.
    /// </summary>
    public TimeSpan ServiceInterval
    {
        get
        {
            if (!IsPeriodic)
                return TimeSpan.Zero;
            bool microframes = _speed >= UsbSpeed.High;
            long unit = microframes ? TimeSpan.TicksPerMillisecond / 8 : TimeSpan.TicksPerMillisecond;
            bool exponent = microframes || TransferType == UsbTransferType.Isochronous;
            return TimeSpan.FromTicks(unit * (exponent ? 1L << (Math.Clamp((int)Interval, 1, 16) - 1) : Math.Max((int)Interval, 1)));
        }
    }

    /// <summary>Gets <c>bRefresh</c> of audio endpoints.</summary>
    public byte Refresh { get; }

    /// <summary>Gets <c>bSynchAddress</c> of audio endpoints.</summary>
    public byte SyncAddress { get; }

    /// <summary>
    /// Gets the bytes of the class-specific and vendor-specific descriptors that follow the endpoint descriptor. <see cref="UsbExtraDescriptors"/> splits the
    /// bytes into descriptors.
    /// </summary>
    public ReadOnlySpan<byte> Extra => _extra;

    /// <summary>
    /// Gets the value that <c>libusb_get_max_iso_packet_size</c> returns for this endpoint. At SuperSpeed, the value is <c>wBytesPerInterval</c> of the
    /// companion descriptor, for every endpoint type. At lower speeds, the value is the packet size. For a periodic endpoint, libusb multiplies this packet
    /// size by the number of packets that bits 11 and 12 of <c>wMaxPacketSize</c> specify. libusb reads these bits even at full speed, where they have no
    /// meaning.
    /// </summary>
    internal int MaxIsoPacketSize =>
        _speed >= UsbSpeed.Super && TryGetCompanion(out UsbSuperSpeedCompanion companion)
            ? companion.BytesPerInterval
            : MaxPacketSize * PeriodicPackets;

    private bool IsPeriodic => TransferType is UsbTransferType.Isochronous or UsbTransferType.Interrupt;

    private int PeriodicPackets => IsPeriodic ? 1 + ((RawMaxPacketSize >> ExtraPacketsShift) & ExtraPacketsMask) : 1;

    /// <summary>Finds the SuperSpeed companion descriptor, which every endpoint has at SuperSpeed.</summary>
    /// <param name="companion">The content of the companion descriptor, if the endpoint has one.</param>
    /// <returns>Whether the endpoint has a companion descriptor.</returns>
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

    /// <summary>Returns a text such as <c>endpoint 0x81 (Bulk In, 512 bytes)</c>; the number of bytes is <see cref="BytesPerInterval"/>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"endpoint 0x{Address:x2} ({TransferType} {Direction}, {BytesPerInterval} bytes)");
}
