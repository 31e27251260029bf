namespace Native.LibUsb.Testing;

/// <summary>How an <see cref="IsoSource"/> is made.</summary>
public sealed record IsoSourceOptions
{
    /// <summary>Full, high or SuperSpeed; it decides the alternate settings.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary><c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary><c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0010;

    /// <summary>The serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>True: one packet in each service interval of real time, and a packet that no URB waits for is missed, as on a bus.
    /// False: packets come as fast as they are asked for and none is missed.</summary>
    public bool Paced { get; init; } = true;

    /// <summary>The kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>The packet sizes (bytes in a service interval) of alternate settings 1, 2, ...; null for those of the speed:
    /// full 256, 512, 1023; high 512, 1024, 2048, 3072; SuperSpeed 1024, 16384, 49152.</summary>
    public IReadOnlyList<int>? PacketSizes { get; init; }

    /// <summary>Unplugs itself when so many packets have been sent; 0 for never.</summary>
    public long UnplugAfterPackets { get; init; }
}

/// <summary>A device like a camera: an isochronous IN endpoint (0x81) on interface 0 that sends the <see cref="NumberedPattern"/>.</summary>
/// <remarks>
/// Alternate setting 0 has no endpoint and takes no bandwidth; each further one has larger packets. The packets are numbered from
/// 0 when a setting is selected. Paced, the number is also the service interval that the packet was sent in, so a gap in the
/// numbers is exactly what the host was too late for.
/// </remarks>
public sealed class IsoSource : VirtualDevice
{
    /// <summary>The address of the isochronous endpoint.</summary>
    public const byte EndpointAddress = 0x81;

    /// <summary>Makes a source.</summary>
    public IsoSource(IsoSourceOptions? options = null)
        : this(options ?? new IsoSourceOptions(), true)
    {
    }

    private IsoSource(IsoSourceOptions options, bool _)
        : base(Describe(options))
    {
        Options = options;
        Source = new IsoSourceEndpoint(options);
        Add(Source);
    }

    /// <summary>How it was made.</summary>
    public IsoSourceOptions Options { get; }

    /// <summary>The isochronous endpoint.</summary>
    public IsoSourceEndpoint Source { get; }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => Source?.Start(setting);

    /// <inheritdoc/>
    protected internal override void OnDetached()
    {
        lock (SyncRoot)
        {
            Source.Start(0);
            Source.Resume(); // a source that pulled its own plug held its transfers
        }
    }

    private static DeviceDescription Describe(IsoSourceOptions options) => new()
    {
        Speed = options.Speed,
        VendorId = options.VendorId,
        ProductId = options.ProductId,
        Manufacturer = "Native.LibUsb",
        Product = "Isochronous source",
        SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0, IsoEndpoint.Settings(EndpointAddress, options.Speed, options.PacketSizes)) { KernelDriver = options.KernelDriver })
            { MaxPowerMilliamps = 500 },
        ],
    };
}
