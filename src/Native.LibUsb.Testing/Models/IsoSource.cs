namespace Native.LibUsb.Testing;

/// <summary>Represents a device like a camera: an isochronous IN endpoint (0x81) on interface 0 that sends the <see cref="NumberedPattern"/>.</summary>
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

    /// <summary>Gets the options that it was made with.</summary>
    public IsoSourceOptions Options { get; }

    /// <summary>Gets the isochronous endpoint.</summary>
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
