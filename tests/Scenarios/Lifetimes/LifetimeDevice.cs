using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents a device that keeps URBs until the test completes them. The endpoint for <see cref="Errand"/> completes its URBs immediately.</summary>
public sealed class LifetimeDevice : VirtualDevice
{
    public const byte BulkAddress = 0x81, IsochronousAddress = 0x82, ErrandAddress = 0x03;
    public const ushort Vendor = 0x1209, Product = 0x0021;
    public const int PacketLength = 512;

    /// <summary>Specifies a control request that the device keeps.</summary>
    public static readonly UsbControlSetup Request = new(UsbDirection.In, UsbRequestKind.Vendor, UsbRecipient.Device, 1, 0, 0);

    public LifetimeDevice()
        : base(new DeviceDescription
        {
            VendorId = Vendor,
            ProductId = Product,
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(BulkAddress, EndpointKind.Bulk, PacketLength),
                    new EndpointDescription(IsochronousAddress, EndpointKind.Isochronous, PacketLength),
                    new EndpointDescription(ErrandAddress, EndpointKind.Bulk, PacketLength)))),
            ],
        })
    {
        Add(new Sink(ErrandAddress));
        ControlHandler = static _ => true;
    }

    private IEnumerable<VirtualEndpoint> Keepers => [Endpoint(BulkAddress), Endpoint(IsochronousAddress), ControlEndpoint];

    /// <summary>Gets the number of URBs that the device keeps.</summary>
    public int Kept => Keepers.Sum(endpoint => endpoint.Pending.Count);

    /// <summary>Waits until the device keeps <paramref name="count"/> URBs.</summary>
    public void WaitForKept(int count, TimeSpan patience) => Assert.True(WaitUntil(() => Kept == count, patience), $"The device has {Kept} URBs, not {count}.");

    /// <summary>Completes all URBs that the device keeps.</summary>
    public void CompleteAll()
    {
        lock (SyncRoot)
        {
            foreach (VirtualEndpoint endpoint in Keepers)
            {
                foreach (VirtualUrb urb in endpoint.Pending)
                    Complete(urb);
            }
        }
    }

    /// <summary>Completes the oldest URB of an endpoint.</summary>
    public void CompleteOldest(byte address)
    {
        lock (SyncRoot)
            Complete((address == 0 ? ControlEndpoint : Endpoint(address)).Pending[0]);
    }

    private static void Complete(VirtualUrb urb)
    {
        foreach (ref IsoPacket packet in urb.Packets)
        {
            packet.ActualLength = packet.Length;
            packet.Status = UrbStatus.Success;
        }

        urb.Buffer.Fill(0x5a);
        urb.Complete(urb.Length);
    }

    private sealed class Sink(byte address) : VirtualEndpoint(address)
    {
        protected override void OnSubmit(VirtualUrb urb) => urb.Accept();
    }
}
