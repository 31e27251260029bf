namespace Native.LibUsb.Testing;

/// <summary>Represents a device that never makes the host wait. Its bulk IN endpoint 0x81 fills each transfer immediately, and its bulk OUT endpoint 0x01
/// accepts each transfer immediately.</summary>
public sealed class BulkSourceSink : VirtualDevice
{
    /// <summary>The address of the IN endpoint.</summary>
    public const byte InAddress = 0x81;

    /// <summary>The address of the OUT endpoint.</summary>
    public const byte OutAddress = 0x01;

    private readonly int _packetSize;
    private long _sent, _taken;

    /// <summary>Initializes a new instance of the <see cref="BulkSourceSink"/> class.</summary>
    public BulkSourceSink(BulkSourceSinkOptions? options = null)
        : base(Describe(options ??= new BulkSourceSinkOptions()))
    {
        Options = options;
        _packetSize = PacketSize(options.Speed);
        Add(new Source(this));
        Add(new Sink(this));
    }

    /// <summary>Gets the options of the device.</summary>
    public BulkSourceSinkOptions Options { get; }

    /// <summary>
    /// Gets the count of packets that the device has sent since it was configured. The packets are numbered from 0, so the count is also the number of the next
    /// packet.
    /// </summary>
    public long SentPackets => Volatile.Read(ref _sent);

    /// <summary>Gets the number of bytes that were received since the device was configured.</summary>
    public long TakenBytes => Volatile.Read(ref _taken);

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => _sent = _taken = 0;

    private static int PacketSize(VirtualSpeed speed) => speed >= VirtualSpeed.Super ? 1024 : speed == VirtualSpeed.High ? 512 : 64;

    private static DeviceDescription Describe(BulkSourceSinkOptions options)
    {
        EndpointDescription input = new(InAddress, EndpointKind.Bulk, PacketSize(options.Speed)) { Burst = options.Speed >= VirtualSpeed.Super ? 16 : 1 };
        return new DeviceDescription
        {
            Speed = options.Speed,
            VendorId = options.VendorId,
            ProductId = options.ProductId,
            Manufacturer = "Native.LibUsb",
            Product = "Bulk source and sink",
            SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting(input, input with { Address = OutAddress })) { KernelDriver = options.KernelDriver }),
            ],
        };
    }

    private sealed class Source(BulkSourceSink device) : VirtualEndpoint(InAddress)
    {
        protected override void OnSubmit(VirtualUrb urb)
        {
            long sent = device._sent;
            device._sent += (urb.Length + device._packetSize - 1) / device._packetSize;
            for (int start = 0; device.Options.Numbered && start < urb.Length; start += device._packetSize, sent++)
                NumberedPattern.Fill(urb.Buffer.Slice(start, Math.Min(device._packetSize, urb.Length - start)), (ulong)sent);
            urb.Complete(urb.Length);
        }
    }

    private sealed class Sink(BulkSourceSink device) : VirtualEndpoint(OutAddress)
    {
        protected override void OnSubmit(VirtualUrb urb)
        {
            device._taken += urb.Length;
            urb.Accept();
        }
    }
}
