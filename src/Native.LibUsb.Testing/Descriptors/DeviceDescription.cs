namespace Native.LibUsb.Testing;

/// <summary>Represents all descriptors of a device.</summary>
/// <remarks>Texts get their string indices in the order manufacturer, product, serial number, then configurations from top to bottom.</remarks>
public sealed record DeviceDescription
{
    private const int DeviceSize = 18;

    /// <summary>Gets or sets the speed the device is connected at.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0001;

    /// <summary>Gets or sets <c>bcdDevice</c>: the release of the device.</summary>
    public ushort Release { get; init; } = 0x0100;

    /// <summary>Gets or sets <c>bcdUSB</c>; null for the version that goes with the speed.</summary>
    public ushort? UsbVersion { get; init; }

    /// <summary>Gets or sets <c>bDeviceClass</c>.</summary>
    public byte Class { get; init; }

    /// <summary>Gets or sets <c>bDeviceSubClass</c>.</summary>
    public byte Subclass { get; init; }

    /// <summary>Gets or sets <c>bDeviceProtocol</c>.</summary>
    public byte Protocol { get; init; }

    /// <summary>Gets or sets the bytes in a packet of endpoint 0; null for 64 (8 at low speed, 512 at SuperSpeed).</summary>
    public int? ControlPacketSize { get; init; }

    /// <summary>Gets or sets the manufacturer's string.</summary>
    public UsbText? Manufacturer { get; init; }

    /// <summary>Gets or sets the product's string.</summary>
    public UsbText? Product { get; init; }

    /// <summary>Gets or sets the serial number.</summary>
    public UsbText? SerialNumber { get; init; }

    /// <summary>Gets or sets the languages of the strings; US English by default.</summary>
    public IReadOnlyList<ushort> Languages { get; init; } = [0x0409];

    /// <summary>Gets or sets the configurations; the first is active when the device is attached.</summary>
    public IReadOnlyList<ConfigurationDescription> Configurations { get; init; } = [new()];

    /// <summary>Gets or sets the device capabilities; a BOS descriptor exists when there are any, and always at SuperSpeed.</summary>
    public IReadOnlyList<DeviceCapability> Capabilities { get; init; } = [];

    /// <summary>Gets or sets the bytes of the device descriptor, as the device gives them; null for those that the other properties make.</summary>
    /// <remarks>18 bytes, which may contradict themselves and the other properties. Programs read them, while the other properties stay what the
    /// device does.</remarks>
    public ReadOnlyMemory<byte>? RawDevice { get; init; }

    /// <summary>Gets or sets the bytes of the BOS and of all the capabilities in it, as the device gives them; null for those that
    /// <see cref="Capabilities"/> make.</summary>
    /// <remarks>The bytes may be inconsistent: lengths that lie, counts that do not fit, a capability that is cut.</remarks>
    public ReadOnlyMemory<byte>? RawBos { get; init; }

    /// <summary>Gets or sets the string descriptors by their index, in all languages, as the device gives them; index 0 is the list of languages.</summary>
    /// <remarks>They come before the texts that have the same index, and may be for indices that no property refers to but the raw bytes of other
    /// descriptors do. For a text of a property see <see cref="UsbText.Raw"/>.</remarks>
    public IReadOnlyDictionary<byte, ReadOnlyMemory<byte>> RawStrings { get; init; } = new Dictionary<byte, ReadOnlyMemory<byte>>();

    internal void Check()
    {
        if (RawDevice is { Length: not DeviceSize })
            throw new ArgumentException($"A device descriptor has {DeviceSize} bytes: no host takes a device with another one.");
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
        // the texts have their indices also when the bytes do not name them
        byte manufacturer = strings.Index(Manufacturer), product = strings.Index(Product), serialNumber = strings.Index(SerialNumber);
        if (RawDevice is { } raw)
            return raw.ToArray();
        ushort usb = UsbVersion ?? (Speed switch
        {
            VirtualSpeed.SuperPlus => 0x0310,
            VirtualSpeed.Super => 0x0300,
            _ => Capabilities.Count > 0 || RawBos is not null ? (ushort)0x0201 : (ushort)0x0200,
        });
        // at SuperSpeed the size of endpoint 0's packets is written as its base-two logarithm
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
