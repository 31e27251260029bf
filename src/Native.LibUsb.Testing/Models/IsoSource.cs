namespace Native.LibUsb.Testing;

/// <summary>Represents a device like a camera. Its isochronous IN endpoint (0x81) on interface 0 sends the <see cref="NumberedPattern"/>.</summary>
/// <remarks>
/// Alternate setting 0 has no endpoint and reserves no bandwidth. Each further setting has larger packets. When the host selects an alternate setting, the
/// numbers of the packets start again at 0. If the device is paced, a packet's number is also the number of its service interval. In that case, a gap in the
/// numbers shows exactly which intervals the host has missed.
/// </remarks>
public sealed class IsoSource : VirtualDevice
{
    /// <summary>The address of the isochronous endpoint.</summary>
    public const byte EndpointAddress = 0x81;

    /// <summary>Initializes a new instance of the <see cref="IsoSource"/> class.</summary>
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

    /// <summary>Gets the options of the device.</summary>
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
            Source.Resume(); // a source that has unplugged itself still holds its URBs
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
