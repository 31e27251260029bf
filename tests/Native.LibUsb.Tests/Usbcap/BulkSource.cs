using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>A device whose bulk IN endpoint sends the numbered pattern, one number a packet, as fast as the host asks.</summary>
internal sealed class BulkSource : VirtualDevice
{
    public const byte EndpointAddress = 0x81;
    public const int PacketSize = 512;

    public BulkSource()
        : base(new DeviceDescription
        {
            VendorId = 0x1209,
            ProductId = 0x0020,
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(EndpointAddress, EndpointKind.Bulk, PacketSize))))],
        }) => Add(new Source());

    private sealed class Source() : VirtualEndpoint(EndpointAddress)
    {
        private ulong _next;

        protected override void OnSubmit(VirtualUrb urb)
        {
            for (int start = 0; start < urb.Length; start += PacketSize)
                NumberedPattern.Fill(urb.Buffer.Slice(start, PacketSize), _next++);
            urb.Complete(urb.Length);
        }
    }
}
