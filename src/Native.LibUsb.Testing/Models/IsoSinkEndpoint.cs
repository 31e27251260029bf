namespace Native.LibUsb.Testing;

/// <summary>Represents the isochronous OUT endpoint of an <see cref="IsoSink"/>.</summary>
public sealed class IsoSinkEndpoint : IsoEndpoint
{
    private int _packetSize;

    internal IsoSinkEndpoint(IsoSinkOptions options)
        : base(IsoSink.EndpointAddress, options.Paced) => UnplugAfterPackets = options.UnplugAfterPackets;

    /// <summary>Gets the number of packets that were received since the setting was selected, including packets with faults.</summary>
    public long TakenPackets => MovedPackets;

    /// <summary>Gets or sets the handler that receives each packet. Set it before the host sends data.</summary>
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
        // The host controller does not send packets that are longer than the endpoint's maximum packet size.
        (packet.Status, packet.ActualLength) = fault is { } bad ? (bad.Status, Math.Clamp(bad.Length, 0, data.Length))
            : data.Length > _packetSize ? (UrbStatus.Overflow, 0)
            : (UrbStatus.Success, data.Length);
        if (packet.ActualLength > 0 || packet.Status == UrbStatus.Success)
            PacketTaken?.Invoke(number, data[..packet.ActualLength]);
    }
}
