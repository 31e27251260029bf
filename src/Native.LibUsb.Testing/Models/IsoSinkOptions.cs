namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="IsoSink"/>.</summary>
public sealed record IsoSinkOptions
{
    /// <summary>Gets or sets the speed: full, high or SuperSpeed. It determines the default packet sizes.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0013;

    /// <summary>Gets or sets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>
    /// Gets or sets whether the endpoint is paced. If true, the endpoint works in real time and receives one packet in each service interval. If the host has
    /// no URB pending in an interval, the endpoint counts a missed packet. If false, the endpoint accepts packets immediately, and no packet is missed.
    /// </summary>
    public bool Paced { get; init; } = true;

    /// <summary>Gets or sets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>
    /// Gets or sets the packet sizes (bytes per service interval) of alternate settings 1, 2 and so on. With null, the sizes depend on the speed.
    /// <see cref="IsoSourceOptions.PacketSizes"/> lists these default sizes.
    /// </summary>
    public IReadOnlyList<int>? PacketSizes { get; init; }

    /// <summary>Gets or sets the number of received packets after which the device unplugs itself. With 0, the device does not unplug itself.</summary>
    public long UnplugAfterPackets { get; init; }
}
