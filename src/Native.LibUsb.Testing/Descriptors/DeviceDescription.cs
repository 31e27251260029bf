namespace Native.LibUsb.Testing;

/// <summary>Represents all descriptors of a device.</summary>
/// <remarks>String indices are assigned in this order: manufacturer, product, serial number, then all texts in the configurations, in the order of their
/// descriptors.</remarks>
public sealed record DeviceDescription
{
    private const int DeviceSize = 18;

    /// <summary>Gets or sets the speed at which the device is connected.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0001;

    /// <summary>Gets or sets <c>bcdDevice</c>, the release number of the device.</summary>
    public ushort Release { get; init; } = 0x0100;

    /// <summary>Gets or sets <c>bcdUSB</c>. Null for the default version of the device's speed.</summary>
    public ushort? UsbVersion { get; init; }

    /// <summary>Gets or sets <c>bDeviceClass</c>.</summary>
    public byte Class { get; init; }

    /// <summary>Gets or sets <c>bDeviceSubClass</c>.</summary>
    public byte Subclass { get; init; }

    /// <summary>Gets or sets <c>bDeviceProtocol</c>.</summary>
    public byte Protocol { get; init; }

    /// <summary>Gets or sets the packet size of endpoint 0, in bytes. If the property is null, the size is 8 bytes at low speed, 512 bytes at SuperSpeed, and
    /// 64 bytes at other speeds.</summary>
    public int? ControlPacketSize { get; init; }

    /// <summary>Gets or sets the manufacturer's string.</summary>
    public UsbText? Manufacturer { get; init; }

    /// <summary>Gets or sets the product's string.</summary>
    public UsbText? Product { get; init; }

    /// <summary>Gets or sets the serial number.</summary>
    public UsbText? SerialNumber { get; init; }

    /// <summary>Gets or sets the languages of the strings. The default is US English.</summary>
    public IReadOnlyList<ushort> Languages { get; init; } = [0x0409];

    /// <summary>Gets or sets the configurations. The first one is active when the device is attached.</summary>
    public IReadOnlyList<ConfigurationDescription> Configurations { get; init; } = [new()];

    /// <summary>
    /// Gets or sets the device capabilities. The device has a BOS descriptor if there is at least one capability, or if its speed is SuperSpeed or faster.
    /// </summary>
    public IReadOnlyList<DeviceCapability> Capabilities { get; init; } = [];

    /// <summary>Gets or sets the bytes of the device descriptor, as the device returns them. Null if they are generated from the other properties.</summary>
    /// <remarks>
    /// The descriptor must have 18 bytes. Programs read these bytes. The bytes may be inconsistent, and they may contradict the other properties. The behaviour
    /// of the device depends only on the other properties.
    /// </remarks>
    public ReadOnlyMemory<byte>? RawDevice { get; init; }

    /// <summary>Gets or sets the bytes of the BOS descriptor with its capabilities, as the device returns them. Null if they are generated from
    /// <see cref="Capabilities"/>.</summary>
    /// <remarks>The bytes may be inconsistent: they may contain wrong lengths, wrong counts or a truncated capability.</remarks>
    public ReadOnlyMemory<byte>? RawBos { get; init; }

    /// <summary>Gets or sets raw string descriptors by index. The device returns the bytes of such a descriptor in every language. Index 0 is the list of
    /// languages.</summary>
    /// <remarks>
    /// A raw string replaces the text that has the same index. You can also add a raw string at an index that has no text. This is useful, for example, if the
    /// raw bytes of another descriptor refer to this index. To replace the bytes of a property's text, use <see cref="UsbText.Raw"/>.
    /// </remarks>
    public IReadOnlyDictionary<byte, ReadOnlyMemory<byte>> RawStrings { get; init; } = new Dictionary<byte, ReadOnlyMemory<byte>>();

    internal void Check()
    {
        if (RawDevice is { Length: not DeviceSize })
            throw new ArgumentException($"A device descriptor must have {DeviceSize} bytes: no host accepts a device whose descriptor has another size.");
        if (Configurations.Count is < 1 or > 255 || Configurations.Select(c => c.Value).Distinct().Count() != Configurations.Count)
            throw new ArgumentException("A device has 1 to 255 configurations with values that differ.");
        if (!Enum.IsDefined(Speed))
            throw new ArgumentException($"{Speed} is not a speed.");
        foreach (ConfigurationDescription configuration in Configurations)
            configuration.Check(Speed);
    }

    internal int ControlPacket => ControlPacketSize ?? (Speed == VirtualSpeed.Low ? 8 : Speed >= VirtualSpeed.Super ? 512 : 64);

    internal byte[] WriteDevice(StringTable strings)
    {
        // Texts get their indices even if the raw descriptor does not contain them.
        byte manufacturer = strings.Index(Manufacturer), product = strings.Index(Product), serialNumber = strings.Index(SerialNumber);
        if (RawDevice is { } raw)
            return raw.ToArray();
        ushort usb = UsbVersion ?? (Speed switch
        {
            VirtualSpeed.SuperPlus => 0x0310,
            VirtualSpeed.Super => 0x0300,
            _ => Capabilities.Count > 0 || RawBos is not null ? (ushort)0x0201 : (ushort)0x0200,
        });
        // at SuperSpeed, the descriptor contains the base-two logarithm of endpoint 0's packet size
        byte packet = (byte)(Speed >= VirtualSpeed.Super ? int.Log2(ControlPacket) : ControlPacket);
        return
        [
            DeviceSize, 1, (byte)usb, (byte)(usb >> 8), Class, Subclass, Protocol, packet,
            (byte)VendorId, (byte)(VendorId >> 8), (byte)ProductId, (byte)(ProductId >> 8), (byte)Release, (byte)(Release >> 8),
            manufacturer, product, serialNumber, (byte)Configurations.Count,
        ];
    }

    internal byte[]? WriteBos()
    {
        if (RawBos is { } raw)
            return raw.ToArray();
        IReadOnlyList<DeviceCapability> capabilities = Capabilities;
        if (capabilities.Count == 0 && Speed >= VirtualSpeed.Super)
            capabilities = [DeviceCapability.Usb20Extension(2), DeviceCapability.SuperSpeed()];
        if (capabilities.Count == 0)
            return null;
        List<byte> bytes = [5, 15, 0, 0, (byte)capabilities.Count];
        foreach (DeviceCapability capability in capabilities)
            capability.Write(bytes);
        bytes[2] = (byte)bytes.Count;
        bytes[3] = (byte)(bytes.Count >> 8);
        return [.. bytes];
    }
}
