using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Represents a device with two interfaces. The two IN endpoints keep every fourth transfer pending until the transfer is cancelled, and complete all other
/// transfers immediately. The OUT endpoint completes every transfer immediately.
/// </summary>
public sealed class BusyDevice : VirtualDevice
{
    public const byte InAddress = 0x81, OutAddress = 0x02, IsochronousAddress = 0x83;
    public const ushort Vendor = 0x1209, Product = 0x0022;
    public const int PacketLength = 512;

    public BusyDevice()
        : base(new DeviceDescription
        {
            VendorId = Vendor,
            ProductId = Product,
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting(
                        new EndpointDescription(InAddress, EndpointKind.Bulk, PacketLength),
                        new EndpointDescription(OutAddress, EndpointKind.Bulk, PacketLength))),
                    new InterfaceDescription(1, new AlternateSetting(
                        new EndpointDescription(IsochronousAddress, EndpointKind.Isochronous, PacketLength)))),
            ],
        })
    {
        Add(new Busy(InAddress));
        Add(new Busy(OutAddress) { KeepsNothing = true });
        Add(new Busy(IsochronousAddress));
    }

    /// <summary>Gets the number of transfers that the device keeps.</summary>
    public int Kept => Endpoint(InAddress).Pending.Count + Endpoint(OutAddress).Pending.Count + Endpoint(IsochronousAddress).Pending.Count;

    /// <summary>Completes a transfer with its full length.</summary>
    public static void Complete(VirtualUrb urb)
    {
        foreach (ref IsoPacket packet in urb.Packets)
        {
            packet.ActualLength = packet.Length;
            packet.Status = UrbStatus.Success;
        }

        // The bus sends the whole buffer to the host, so the endpoint must initialize the buffer.
        if (urb.IsIn)
            urb.Buffer.Fill(0x5A);
        urb.Complete(urb.Length);
    }

    private sealed class Busy(byte address) : VirtualEndpoint(address)
    {
        private int _count;

        public bool KeepsNothing { get; init; }

        protected override void OnSubmit(VirtualUrb urb)
        {
            if (KeepsNothing || ++_count % 4 != 0 || Pending.Count > 3)
                Complete(urb);
        }
    }
}
