namespace Native.LibUsb.Testing;

/// <summary>Represents a hub. Devices can be attached to the ports of the hub. The port path of such a device begins with the port path of the hub.</summary>
public sealed class VirtualHub : VirtualDevice
{
    /// <summary>Initializes a new instance of the <see cref="VirtualHub"/> class.</summary>
    /// <param name="speed">The speed of the hub: high or SuperSpeed.</param>
    /// <param name="ports">The number of ports, 1 to 15.</param>
    public VirtualHub(VirtualSpeed speed = VirtualSpeed.High, int ports = 4)
        : this(Describe(speed, 0x1209, 0x0004, "Virtual hub"), ports)
    {
    }

    private VirtualHub(DeviceDescription description, int ports)
        : base(description)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ports, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ports, 15);
        Ports = ports;
    }

    /// <summary>Gets the number of ports.</summary>
    public int Ports { get; }

    internal static VirtualHub Root(VirtualSpeed speed) =>
        new(Describe(speed, 0x1d6b, speed >= VirtualSpeed.Super ? (ushort)3 : (ushort)2, "Virtual host controller"), 15);

    /// <inheritdoc/>
    protected override bool OnControlRequest(VirtualUrb urb)
    {
        ArgumentNullException.ThrowIfNull(urb);
        SetupPacket setup = urb.Setup;
        switch ((setup.RequestType, setup.Request))
        {
            case (0xa0, 6): // the hub's class descriptor
                urb.CompleteWith([9, 0x29, (byte)Ports, 0, 0, 50, 0, 0, 0xff]);
                return true;
            case (0xa0 or 0xa3, 0): // status of the hub or of a port: powered
                urb.CompleteWith([0, 1, 0, 0]);
                return true;
            case (0x20 or 0x23, 1 or 3): // CLEAR_FEATURE and SET_FEATURE
                urb.Accept();
                return true;
            default:
                return base.OnControlRequest(urb);
        }
    }

    private static DeviceDescription Describe(VirtualSpeed speed, ushort vendor, ushort product, string name) => new()
    {
        Speed = speed,
        VendorId = vendor,
        ProductId = product,
        Class = 9,
        Protocol = speed >= VirtualSpeed.Super ? (byte)3 : (byte)1,
        Manufacturer = "Native.LibUsb",
        Product = name,
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Interrupt, 4) { Interval = 12 }) { Class = 9 }) { KernelDriver = "hub" })
            {
                SelfPowered = true,
                MaxPowerMilliamps = 0,
            },
        ],
    };
}
