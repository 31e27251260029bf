namespace Native.LibUsb.Testing;

/// <summary>Represents the isochronous IN endpoint of an <see cref="IsoSource"/>. A packet that fails with length 0 is missing in the host's view.</summary>
public sealed class IsoSourceEndpoint : IsoEndpoint
{
    private int _packetSize;

    internal IsoSourceEndpoint(IsoSourceOptions options)
        : base(IsoSource.EndpointAddress, options.Paced) => UnplugAfterPackets = options.UnplugAfterPackets;

    /// <summary>Gets the packets sent since the setting was selected, faults included.</summary>
    public long SentPackets => MovedPackets;

    internal override void Start(int setting)
    {
        base.Start(setting);
        _packetSize = setting == 0 || Description is null ? 0 : Description.BytesPerInterval(Device.Description.Speed);
    }

    private protected override void Move(VirtualUrb urb, int index, long number, IsoFault? fault)
    {
        ref IsoPacket packet = ref urb.Packets[index];
        Span<byte> room = urb.PacketBuffer(index);
        if (fault is { } bad)
        {
            packet.Status = bad.Status;
            packet.ActualLength = Math.Clamp(bad.Length, 0, room.Length);
        }
        else if (room.Length < _packetSize)
        {
            packet.Status = UrbStatus.Overflow; // the device sends more than the host made room for
            packet.ActualLength = room.Length;
        }
        else
        {
            packet.Status = UrbStatus.Success;
            packet.ActualLength = _packetSize;
        }
        NumberedPattern.Fill(room[..packet.ActualLength], (ulong)number);
    }
}
