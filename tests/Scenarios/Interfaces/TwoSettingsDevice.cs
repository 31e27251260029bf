using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>
/// Represents a device with two interfaces. Setting 0 of interface 0 has the bulk endpoints 0x81 and 0x01. Setting 1 of interface 0 has the interrupt endpoints
/// 0x83 and 0x03 and the isochronous endpoint 0x84. Interface 1 has the interrupt endpoint 0x85. The device stores the last control request, and answers read
/// requests with three bytes.
/// </summary>
internal sealed class TwoSettingsDevice : VirtualDevice
{
    public static readonly byte[] Answer = [1, 2, 3];

    public TwoSettingsDevice()
        : base(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(
                        0,
                        new AlternateSetting(
                            new EndpointDescription(0x81, EndpointKind.Bulk, 512) { Extra = new byte[] { 3, 0x25, 9 } }, new EndpointDescription(0x01, EndpointKind.Bulk, 512)),
                        new AlternateSetting(
                            new EndpointDescription(0x83, EndpointKind.Interrupt, 64), new EndpointDescription(0x03, EndpointKind.Interrupt, 64),
                            new EndpointDescription(0x84, EndpointKind.Isochronous, 64))),
                    new InterfaceDescription(1, new AlternateSetting(new EndpointDescription(0x85, EndpointKind.Interrupt, 64)))),
            ],
        })
    {
        foreach (byte address in (byte[])[0x81, 0x01, 0x83, 0x03, 0x84, 0x85])
            Add(new PacketEndpoint(address));
    }

    /// <summary>Gets the last control request that is not a standard request to the device.</summary>
    public SetupPacket LastSetup { get; private set; }

    /// <summary>Gets the data of the last control write request.</summary>
    public byte[] LastData { get; private set; } = [];

    /// <summary>Gets or sets an action that the device calls while it activates an alternate setting. The device holds its lock during the call.</summary>
    public Action? SettingSelected { get; set; }

    public PacketEndpoint Packets(byte address) => (PacketEndpoint)Endpoint(address);

    protected override void OnAlternateSelected(byte interfaceNumber, int setting) => SettingSelected?.Invoke();

    protected override bool OnControlRequest(VirtualUrb urb)
    {
        LastSetup = urb.Setup;
        if (urb.IsIn)
        {
            urb.CompleteWith(Answer);
        }
        else
        {
            LastData = urb.Buffer[..urb.Length].ToArray();
            urb.Accept();
        }

        return true;
    }

    /// <summary>Represents an IN endpoint that returns one of the test's packets for each transfer, or an OUT endpoint that records its transfers.</summary>
    public sealed class PacketEndpoint(byte address) : VirtualEndpoint(address)
    {
        private readonly Queue<byte[]> _packets = [];

        /// <summary>Gets the length and the zero-packet flag of each OUT transfer.</summary>
        public List<(int Length, bool ZeroPacket)> Received { get; } = [];

        /// <summary>Gets or sets an action that the device calls while it clears the halt. The device holds its lock during the call.</summary>
        public Action? HaltCleared { get; set; }

        public void Send(params byte[][] packets)
        {
            lock (Device.SyncRoot)
            {
                foreach (byte[] packet in packets)
                    _packets.Enqueue(packet);
                while (_packets.Count > 0 && First is { } urb)
                    urb.CompleteWith(_packets.Dequeue());
            }
        }

        protected override void OnHaltCleared() => HaltCleared?.Invoke();

        protected override void OnSubmit(VirtualUrb urb)
        {
            if (!urb.IsIn)
            {
                Received.Add((urb.Length, urb.ZeroPacket));
                urb.Accept();
            }
            else if (urb.PacketCount == 0 && _packets.Count > 0)
            {
                urb.CompleteWith(_packets.Dequeue());
            }
        }
    }
}
