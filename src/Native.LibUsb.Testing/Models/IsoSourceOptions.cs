namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="IsoSource"/>.</summary>
public sealed record IsoSourceOptions
{
    /// <summary>Gets or sets the speed: full, high or SuperSpeed. It determines the default packet sizes.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0010;

    /// <summary>Gets or sets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets whether the endpoint is paced. If true, the endpoint works in real time and sends one packet in each service interval. If the host
    /// has no URB pending in an interval, the host misses that packet, as on a physical bus. If false, the endpoint sends packets as fast as the host requests
    /// them, and no packet is missed.</summary>
    public bool Paced { get; init; } = true;

    /// <summary>Gets or sets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets or sets the packet sizes (bytes per service interval) of alternate settings 1, 2 and so on. With null, the sizes depend on the speed: at
    /// full speed 256, 512, 1023; at high speed 512, 1024, 2048, 3072; at SuperSpeed 1024, 16384, 49152.</summary>
    public IReadOnlyList<int>? PacketSizes { get; init; }

    /// <summary>Gets or sets the number of sent packets after which the device unplugs itself. With 0, the device does not unplug itself.</summary>
    public long UnplugAfterPackets { get; init; }
}
