using System.Buffers.Binary;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// The binary object store of a device: its device capabilities. It is a copy of its own, as <see cref="UsbConfigurationDescriptor"/> is. Made by
/// <see cref="UsbDeviceHandle.GetBosDescriptor"/>.
/// </summary>
public sealed unsafe class UsbBosDescriptor
{
    private readonly byte[][] _capabilities;

    /// <summary>Takes over libusb's descriptors: copies them, and frees libusb's.</summary>
    internal UsbBosDescriptor(libusb_bos_descriptor* native)
    {
        try
        {
            _capabilities = new byte[native->bNumDeviceCaps][];
            for (int i = 0; i < _capabilities.Length; i++)
            {
                libusb_bos_dev_capability_descriptor* capability = native->dev_capability[i];
                _capabilities[i] = new ReadOnlySpan<byte>(capability, capability->bLength).ToArray();
            }
        }
        finally
        {
            libusb.libusb_free_bos_descriptor(native);
        }
    }

    /// <summary>How many capabilities.</summary>
    public int Count => _capabilities.Length;

    /// <summary>One capability, in the order of the descriptors.</summary>
    /// <param name="index">Its place, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none at that place.</exception>
    public UsbDeviceCapability this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return new UsbDeviceCapability(this, _capabilities[index]);
        }
    }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Finds a capability by its type.</summary>
    /// <param name="type">Which.</param>
    /// <param name="capability">The first of that type, when there is one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryFind(UsbCapabilityType type, out UsbDeviceCapability capability)
    {
        foreach (UsbDeviceCapability candidate in this)
        {
            if (candidate.Type == type)
            {
                capability = candidate;
                return true;
            }
        }

        capability = default;
        return false;
    }

    /// <summary>Walks over the capabilities.</summary>
    public ref struct Enumerator
    {
        private readonly UsbBosDescriptor _bos;
        private int _index = -1;

        internal Enumerator(UsbBosDescriptor bos) => _bos = bos;

        /// <summary>Where <see cref="MoveNext"/> reached.</summary>
        public readonly UsbDeviceCapability Current => _bos[_index];

        /// <summary>Goes to the next.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext() => ++_index < _bos.Count;
    }
}

/// <summary>The kinds of device capabilities: <c>bDevCapabilityType</c>.</summary>
public enum UsbCapabilityType
{
    /// <summary>Wireless USB.</summary>
    WirelessUsb = 0x01,

    /// <summary>USB 2.0 extension; see <see cref="UsbDeviceCapability.TryGetUsb20Extension"/>.</summary>
    Usb20Extension = 0x02,

    /// <summary>SuperSpeed; see <see cref="UsbDeviceCapability.TryGetSuperSpeed"/>.</summary>
    SuperSpeed = 0x03,

    /// <summary>Container id; see <see cref="UsbDeviceCapability.TryGetContainerId"/>.</summary>
    ContainerId = 0x04,

    /// <summary>Platform; see <see cref="UsbDeviceCapability.TryGetPlatform"/>.</summary>
    Platform = 0x05,

    /// <summary>SuperSpeedPlus; see <see cref="UsbDeviceCapability.TryGetSuperSpeedPlus"/>.</summary>
    SuperSpeedPlus = 0x0a,
}

/// <summary>
/// One device capability. The well-known kinds are read from its bytes here, so they do not depend on the version of libusb. A capability that
/// is too short for its kind is not read.
/// </summary>
public readonly ref struct UsbDeviceCapability
{
    private const int HeaderSize = 3;
    private const int GuidSize = 16;

    private readonly byte[] _bytes; // libusb lets nothing through that is shorter than a header

    internal UsbDeviceCapability(UsbBosDescriptor owner, byte[] bytes)
    {
        Owner = owner;
        _bytes = bytes;
    }

    /// <summary>What it is part of.</summary>
    public UsbBosDescriptor Owner { get; }

    /// <summary><c>bDevCapabilityType</c>.</summary>
    public UsbCapabilityType Type => (UsbCapabilityType)_bytes[2];

    /// <summary>What follows the three bytes of its header, as it is.</summary>
    public ReadOnlySpan<byte> Data => _bytes.AsSpan(HeaderSize);

    /// <summary>The USB 2.0 extension.</summary>
    /// <param name="extension">Its content.</param>
    /// <returns>Whether this is one.</returns>
    public bool TryGetUsb20Extension(out Usb20Extension extension)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.Usb20Extension && data.Length >= 4;
        extension = found ? new Usb20Extension(BinaryPrimitives.ReadUInt32LittleEndian(data)) : default;
        return found;
    }

    /// <summary>The SuperSpeed capability.</summary>
    /// <param name="capability">Its content.</param>
    /// <returns>Whether this is one.</returns>
    public bool TryGetSuperSpeed(out UsbSuperSpeedCapability capability)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.SuperSpeed && data.Length >= 7;
        capability = found
            ? new UsbSuperSpeedCapability(
                data[0], BinaryPrimitives.ReadUInt16LittleEndian(data[1..]), data[3], data[4], BinaryPrimitives.ReadUInt16LittleEndian(data[5..]))
            : default;
        return found;
    }

    /// <summary>The SuperSpeedPlus capability.</summary>
    /// <param name="capability">Its content; the sublinks are a view of this capability's bytes.</param>
    /// <returns>Whether this is one.</returns>
    public bool TryGetSuperSpeedPlus(out UsbSuperSpeedPlusCapability capability)
    {
        ReadOnlySpan<byte> data = Data;
        const int fixedSize = 9;
        if (Type == UsbCapabilityType.SuperSpeedPlus && data.Length >= fixedSize)
        {
            uint attributes = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
            int sublinks = (int)(attributes & 0x1f) + 1;
            if (data.Length >= fixedSize + (sublinks * sizeof(uint)))
            {
                capability = new UsbSuperSpeedPlusCapability(
                    attributes, BinaryPrimitives.ReadUInt16LittleEndian(data[5..]), data.Slice(fixedSize, sublinks * sizeof(uint)));
                return true;
            }
        }

        capability = default;
        return false;
    }

    /// <summary>The container id: the same for all functions of one piece of hardware.</summary>
    /// <param name="containerId">The id.</param>
    /// <returns>Whether this is one.</returns>
    public bool TryGetContainerId(out Guid containerId)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.ContainerId && data.Length >= 1 + GuidSize;
        containerId = found ? new Guid(data.Slice(1, GuidSize)) : default;
        return found;
    }

    /// <summary>A platform capability: WebUSB and Microsoft's descriptors are such.</summary>
    /// <param name="platform">Whose it is.</param>
    /// <param name="capabilityData">What it says, as it is.</param>
    /// <returns>Whether this is one.</returns>
    public bool TryGetPlatform(out Guid platform, out ReadOnlySpan<byte> capabilityData)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.Platform && data.Length >= 1 + GuidSize;
        platform = found ? new Guid(data.Slice(1, GuidSize)) : default;
        capabilityData = found ? data[(1 + GuidSize)..] : default;
        return found;
    }
}

/// <summary>The USB 2.0 extension capability.</summary>
/// <param name="Attributes"><c>bmAttributes</c>.</param>
public readonly record struct Usb20Extension(uint Attributes)
{
    /// <summary>Whether it knows link power management.</summary>
    public bool SupportsLinkPowerManagement => (Attributes & (1 << 1)) != 0;
}

/// <summary>The SuperSpeed capability.</summary>
/// <param name="Attributes"><c>bmAttributes</c>.</param>
/// <param name="SpeedsSupported"><c>wSpeedSupported</c>: bit 0 low, 1 full, 2 high, 3 SuperSpeed.</param>
/// <param name="FunctionalitySupport"><c>bFunctionalitySupport</c>: the lowest speed at which all functions work.</param>
/// <param name="U1ExitLatency"><c>bU1DevExitLat</c>, in microseconds.</param>
/// <param name="U2ExitLatency"><c>bU2DevExitLat</c>, in microseconds.</param>
public readonly record struct UsbSuperSpeedCapability(
    byte Attributes, ushort SpeedsSupported, byte FunctionalitySupport, byte U1ExitLatency, ushort U2ExitLatency)
{
    /// <summary>Whether it tells its latency tolerance.</summary>
    public bool SupportsLatencyToleranceMessages => (Attributes & (1 << 1)) != 0;
}

/// <summary>The SuperSpeedPlus capability.</summary>
public readonly ref struct UsbSuperSpeedPlusCapability
{
    private readonly uint _attributes;
    private readonly ReadOnlySpan<byte> _sublinks;

    internal UsbSuperSpeedPlusCapability(uint attributes, ushort functionality, ReadOnlySpan<byte> sublinks)
    {
        _attributes = attributes;
        FunctionalitySupport = functionality;
        _sublinks = sublinks;
    }

    /// <summary><c>wFunctionalitySupport</c>: the smallest sublink and lane counts at which all functions work.</summary>
    public ushort FunctionalitySupport { get; }

    /// <summary>How many sublink attributes.</summary>
    public int SublinkCount => _sublinks.Length / sizeof(uint);

    /// <summary>How many different sublink ids.</summary>
    public int SublinkIdCount => (int)((_attributes >> 5) & 0xf) + 1;

    /// <summary>One sublink attribute.</summary>
    /// <param name="index">Its place, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none at that place.</exception>
    public UsbSublink GetSublink(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, SublinkCount);
        return new UsbSublink(BinaryPrimitives.ReadUInt32LittleEndian(_sublinks[(index * sizeof(uint))..]));
    }
}

/// <summary>One sublink attribute of a SuperSpeedPlus device.</summary>
/// <param name="Value">The 32 bits.</param>
public readonly record struct UsbSublink(uint Value)
{
    /// <summary>The sublink's id, 0 to 15.</summary>
    public int Id => (int)(Value & 0xf);

    /// <summary>Bits per second of one lane.</summary>
    public ulong BitsPerSecond => (Value >> 16) * (((Value >> 4) & 3) switch { 0 => 1UL, 1 => 1_000UL, 2 => 1_000_000UL, _ => 1_000_000_000UL });

    /// <summary>Whether the sublink differs by direction.</summary>
    public bool IsAsymmetric => (Value & (1 << 6)) != 0;

    /// <summary>Whether it is the transmitting direction.</summary>
    public bool IsTransmit => (Value & (1 << 7)) != 0;

    /// <summary>Whether it speaks SuperSpeedPlus, and not only SuperSpeed.</summary>
    public bool IsSuperSpeedPlus => ((Value >> 14) & 3) == 1;
}
