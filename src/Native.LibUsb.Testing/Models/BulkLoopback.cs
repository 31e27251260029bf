namespace Native.LibUsb.Testing;

/// <summary>Represents a device that returns the data of its bulk OUT endpoint 0x02 on its bulk IN endpoint 0x82, with the same packet boundaries.</summary>
/// <remarks>The device returns a short or empty packet as a packet of the same length. Each bulk stream is a separate loopback.</remarks>
public sealed class BulkLoopback : VirtualDevice
{
    /// <summary>The address of the OUT endpoint.</summary>
    public const byte OutAddress = 0x02;

    /// <summary>The address of the IN endpoint.</summary>
    public const byte InAddress = 0x82;

    private readonly Dictionary<uint, LoopbackFifo> _fifos = [];
    private readonly int _packetSize;
    private int _pass;

    /// <summary>Initializes a new instance of the <see cref="BulkLoopback"/> class.</summary>
    public BulkLoopback(BulkLoopbackOptions? options = null)
        : base(Describe(options ??= new BulkLoopbackOptions()))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1024);
        Options = options;
        _packetSize = PacketSize(options.Speed);
        Add(new Side(this, OutAddress));
        Add(new Side(this, InAddress));
    }

    /// <summary>Gets the options of the device.</summary>
    public BulkLoopbackOptions Options { get; }

    /// <summary>Gets the number of bytes that all streams have received and not returned yet.</summary>
    public long Waiting
    {
        get
        {
            lock (SyncRoot)
                return _fifos.Values.Sum(f => (long)f.Count);
        }
    }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => _fifos?.Clear();

    private static int PacketSize(VirtualSpeed speed) => speed >= VirtualSpeed.Super ? 1024 : speed == VirtualSpeed.High ? 512 : 64;

    private static DeviceDescription Describe(BulkLoopbackOptions options)
    {
        int packet = PacketSize(options.Speed), burst = options.Speed >= VirtualSpeed.Super ? 16 : 1;
        EndpointDescription input = new(InAddress, EndpointKind.Bulk, packet) { Burst = burst, MaxStreamsExponent = options.StreamsExponent };
        return new DeviceDescription
        {
            Speed = options.Speed,
            VendorId = options.VendorId,
            ProductId = options.ProductId,
            Manufacturer = "Native.LibUsb",
            Product = "Bulk loopback",
            SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting(input, input with { Address = OutAddress })
                    {
                        Class = options.InterfaceClass.Class,
                        Subclass = options.InterfaceClass.Subclass,
                        Protocol = options.InterfaceClass.Protocol,
                    })
                    { KernelDriver = options.KernelDriver }),
            ],
        };
    }

    private LoopbackFifo Fifo(uint stream)
    {
        if (!_fifos.TryGetValue(stream, out LoopbackFifo? fifo))
            _fifos[stream] = fifo = new LoopbackFifo(Options.Capacity, _packetSize);
        return fifo;
    }

    /// <summary>Moves data from OUT to IN transfers until no more data can move.</summary>
    private void Pump()
    {
        Side output = (Side)Endpoint(OutAddress), input = (Side)Endpoint(InAddress);
        for (bool moved = true; moved;)
        {
            moved = false;
            _pass++;
            foreach (VirtualUrb urb in output.Waiting)
            {
                LoopbackFifo fifo = Fifo(urb.StreamId);
                if (fifo.BlockedIn == _pass)
                    continue; // an earlier URB of this stream does not fit, and the order must be kept
                int before = fifo.Count;
                bool done = fifo.Take(urb);
                moved |= done || fifo.Count != before;
                if (done)
                {
                    output.Waiting.Remove(urb);
                    urb.Complete(urb.Length);
                    break;
                }
                fifo.BlockedIn = _pass;
            }
            foreach (VirtualUrb urb in input.Waiting)
            {
                LoopbackFifo fifo = Fifo(urb.StreamId);
                int before = fifo.Count;
                bool done = fifo.Give(urb, out bool overflow);
                moved |= done || fifo.Count != before;
                if (done)
                {
                    input.Waiting.Remove(urb);
                    urb.Complete(overflow ? UrbStatus.Overflow : UrbStatus.Success);
                    break;
                }
            }
        }
    }

    private sealed class Side(BulkLoopback device, byte address) : VirtualEndpoint(address)
    {
        public List<VirtualUrb> Waiting { get; } = [];

        protected override void OnSubmit(VirtualUrb urb)
        {
            Waiting.Add(urb);
            device.Pump();
        }

        protected override void OnUnlink(VirtualUrb urb) => Waiting.Remove(urb);

        protected override void OnReset() => Waiting.Clear();
    }
}
