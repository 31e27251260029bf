namespace Native.LibUsb.Testing;

/// <summary>How an <see cref="IsoSink"/> is made.</summary>
public sealed record IsoSinkOptions
{
    /// <summary>Full, high or SuperSpeed; it decides the alternate settings.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary><c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary><c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0013;

    /// <summary>The serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>True: one packet in each service interval of real time, and an interval that no URB is there for is missed, as on a bus.
    /// False: packets are taken as fast as they come and none is missed.</summary>
    public bool Paced { get; init; } = true;

    /// <summary>The kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>The packet sizes (bytes in a service interval) of alternate settings 1, 2, ...; null for those of the speed, as an
    /// <see cref="IsoSource"/> has them.</summary>
    public IReadOnlyList<int>? PacketSizes { get; init; }

    /// <summary>Unplugs itself when so many packets have been taken; 0 for never.</summary>
    public long UnplugAfterPackets { get; init; }
}

/// <summary>Receives a packet that an <see cref="IsoSink"/> has taken. Called with the device's lock held.</summary>
/// <param name="number">The packet's number since the setting was selected. Paced, it is also the service interval.</param>
/// <param name="data">Its bytes; valid during the call only.</param>
public delegate void IsoPacketHandler(long number, ReadOnlySpan<byte> data);

/// <summary>A device like a loudspeaker: an isochronous OUT endpoint (0x01) on interface 0 that takes what it is sent.</summary>
/// <remarks>
/// Alternate setting 0 has no endpoint and takes no bandwidth; each further one has larger packets. Paced, an interval in which the host had
/// nothing to send is counted in <see cref="IsoEndpoint.MissedPackets"/>: a loudspeaker would click.
/// </remarks>
public sealed class IsoSink : VirtualDevice
{
    /// <summary>The address of the isochronous endpoint.</summary>
    public const byte EndpointAddress = 0x01;

    /// <summary>Makes a sink.</summary>
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

    /// <summary>How it was made.</summary>
    public IsoSinkOptions Options { get; }

    /// <summary>The isochronous endpoint.</summary>
    public IsoSinkEndpoint Sink { get; }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => Sink?.Start(setting);

    /// <inheritdoc/>
    protected internal override void OnDetached()
    {
        lock (SyncRoot)
        {
            Sink.Start(0);
            Sink.Resume(); // a sink that pulled its own plug held its transfers
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

/// <summary>The isochronous OUT endpoint of an <see cref="IsoSink"/>.</summary>
public sealed class IsoSinkEndpoint : IsoEndpoint
{
    private int _packetSize;

    internal IsoSinkEndpoint(IsoSinkOptions options)
        : base(IsoSink.EndpointAddress, options.Paced) => UnplugAfterPackets = options.UnplugAfterPackets;

    /// <summary>Packets taken since the setting was selected, faults included.</summary>
    public long TakenPackets => MovedPackets;

    /// <summary>Receives each packet. Set it before anything is sent.</summary>
    public IsoPacketHandler? PacketTaken { get; set; }

    internal override void Start(int setting)
    {
        base.Start(setting);
        _packetSize = setting == 0 || Description is null ? 0 : Description.BytesPerInterval(Device.Description.Speed);
    }

    private protected override void Move(VirtualUrb urb, int index, long number, IsoFault? fault)
    {
        ref IsoPacket packet = ref urb.Packets[index];
        ReadOnlySpan<byte> data = urb.PacketBuffer(index);
        // what is longer than the endpoint's packets never gets onto the bus
        (packet.Status, packet.ActualLength) = fault is { } bad ? (bad.Status, Math.Clamp(bad.Length, 0, data.Length))
            : data.Length > _packetSize ? (UrbStatus.Overflow, 0)
            : (UrbStatus.Success, data.Length);
        if (packet.ActualLength > 0 || packet.Status == UrbStatus.Success)
            PacketTaken?.Invoke(number, data[..packet.ActualLength]);
    }
}
