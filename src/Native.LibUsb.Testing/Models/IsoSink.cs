namespace Native.LibUsb.Testing;

/// <summary>Represents a device like a loudspeaker. Its isochronous OUT endpoint (0x01) on interface 0 accepts all data.</summary>
/// <remarks>
/// Alternate setting 0 has no endpoint and reserves no bandwidth. Each further setting has larger packets. If the device is paced and the host sends no
/// packet in an interval, <see cref="IsoEndpoint.MissedPackets"/> increases by one. In the same situation, a physical loudspeaker would click.
/// </remarks>
public sealed class IsoSink : VirtualDevice
{
    /// <summary>The address of the isochronous endpoint.</summary>
    public const byte EndpointAddress = 0x01;

    /// <summary>Initializes a new instance of the <see cref="IsoSink"/> class.</summary>
    public IsoSink(IsoSinkOptions? options = null)
        : this(options ?? new IsoSinkOptions(), true)
    {
    }

    private IsoSink(IsoSinkOptions options, bool _)
        : base(Describe(options))
    {
        Options = options;
        Sink = new IsoSinkEndpoint(options);
        Add(Sink);
    }

    /// <summary>Gets the options of the device.</summary>
    public IsoSinkOptions Options { get; }

    /// <summary>Gets the isochronous endpoint.</summary>
    public IsoSinkEndpoint Sink { get; }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => Sink?.Start(setting);

    /// <inheritdoc/>
    protected internal override void OnDetached()
    {
        lock (SyncRoot)
        {
            Sink.Start(0);
            Sink.Resume(); // a sink that has unplugged itself still holds its URBs
        }
    }

    private static DeviceDescription Describe(IsoSinkOptions options) => new()
    {
        Speed = options.Speed,
        VendorId = options.VendorId,
        ProductId = options.ProductId,
        Manufacturer = "Native.LibUsb",
        Product = "Isochronous sink",
        SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0, IsoEndpoint.Settings(EndpointAddress, options.Speed, options.PacketSizes)) { KernelDriver = options.KernelDriver })
            { MaxPowerMilliamps = 500 },
        ],
    };
}
