namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="IsoSink"/>.</summary>
public sealed record IsoSinkOptions
{
    /// <summary>Gets or sets the speed: full, high or SuperSpeed; it decides the alternate settings.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0013;

    /// <summary>Gets or sets the serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets the timing. True: one packet in each service interval of real time, and an interval that no URB is there for is missed, as on a bus.
    /// False: packets are taken as fast as they come and none is missed.</summary>
    public bool Paced { get; init; } = true;

    /// <summary>Gets or sets the kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets or sets the packet sizes (bytes in a service interval) of alternate settings 1, 2, ...; null for those of the speed, as an
    /// <see cref="IsoSource"/> has them.</summary>
    public IReadOnlyList<int>? PacketSizes { get; init; }

    /// <summary>Unplugs itself when so many packets have been taken; 0 for never.</summary>
    public long UnplugAfterPackets { get; init; }
}
