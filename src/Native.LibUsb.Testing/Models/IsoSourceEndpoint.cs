namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the isochronous IN endpoint of an <see cref="IsoSource"/>. If a packet fails with length 0, the host receives no data from this packet, so this
/// packet's number does not occur in the received data.
/// </summary>
public sealed class IsoSourceEndpoint : IsoEndpoint
{
    private int _packetSize;

    internal IsoSourceEndpoint(IsoSourceOptions options)
        : base(IsoSource.EndpointAddress, options.Paced) => UnplugAfterPackets = options.UnplugAfterPackets;

    /// <summary>Gets the number of packets that were sent since the setting was selected, including packets with faults.</summary>
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
            packet.Status = UrbStatus.Overflow; // the device sends more bytes than the host's buffer can hold
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
