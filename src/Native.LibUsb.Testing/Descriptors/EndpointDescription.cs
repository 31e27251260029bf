using System.Buffers.Binary;

namespace Native.LibUsb.Testing;

/// <summary>Represents an endpoint descriptor. At SuperSpeed, the descriptor is followed by its companion descriptor.</summary>
/// <param name="Address">The endpoint address; bit 7 is set for IN.</param>
/// <param name="Kind">The transfer type.</param>
/// <param name="MaxPacketSize">The maximum number of bytes in one packet (0 to 1024), without the high-bandwidth bits.</param>
public sealed record EndpointDescription(byte Address, EndpointKind Kind, int MaxPacketSize)
{
    /// <summary>Gets or sets <c>bInterval</c>.</summary>
    public byte Interval { get; init; } = Kind is EndpointKind.Isochronous or EndpointKind.Interrupt ? (byte)1 : (byte)0;

    /// <summary>
    /// Gets or sets the number of packets in one microframe (1 to 3). Only high-bandwidth endpoints at high speed have more than one packet.
    /// </summary>
    public int PacketsPerMicroframe { get; init; } = 1;

    /// <summary>
    /// Gets or sets the number of packets in one burst (1 to 16), which is <c>bMaxBurst</c> plus one. Only endpoints at SuperSpeed use this value.
    /// </summary>
    public int Burst { get; init; } = 1;

    /// <summary>Gets or sets the number of bursts in one service interval (1 to 3). Only isochronous endpoints at SuperSpeed use this value.</summary>
    public int BurstsPerInterval { get; init; } = 1;

    /// <summary>
    /// Gets or sets the base-two logarithm of the number of streams, or 0 for no streams. Only bulk endpoints at SuperSpeed use this value.
    /// </summary>
    public int MaxStreamsExponent { get; init; }

    /// <summary>Gets or sets bits 2 to 5 of <c>bmAttributes</c>: the synchronisation and usage type of an isochronous endpoint.</summary>
    public byte SyncAndUsage { get; init; }

    /// <summary>
    /// Gets or sets <c>bRefresh</c> and <c>bSynchAddress</c> of an audio device's endpoint. With these values, the endpoint descriptor has nine bytes. If the
    /// property is null, the endpoint descriptor has seven bytes.
    /// </summary>
    public (byte Refresh, byte SyncAddress)? Audio { get; init; }

    /// <summary>Gets or sets the complete class-specific descriptors that follow this descriptor, as the device returns them.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    /// <summary>Gets whether the endpoint is an IN endpoint.</summary>
    public bool IsIn => (Address & 0x80) != 0;

    /// <summary>Returns the maximum number of bytes that the endpoint moves in one service interval at the given speed.</summary>
    public int BytesPerInterval(VirtualSpeed speed) => speed switch
    {
        VirtualSpeed.Super or VirtualSpeed.SuperPlus => MaxPacketSize * Burst * BurstsPerInterval,
        VirtualSpeed.High => MaxPacketSize * PacketsPerMicroframe,
        _ => MaxPacketSize,
    };

    internal void Check(VirtualSpeed speed)
    {
        if ((Address & 0x70) != 0 || (Address & 0x0f) == 0)
            throw new ArgumentException($"Endpoint address 0x{Address:x2} is not 1 to 15 with bit 7 for IN.");
        if (MaxPacketSize is < 0 or > 1024 || PacketsPerMicroframe is < 1 or > 3 || Burst is < 1 or > 16 || BurstsPerInterval is < 1 or > 3)
            throw new ArgumentException($"Endpoint 0x{Address:x2}: packet size 0 to 1024, packets per microframe 1 to 3, burst 1 to 16, bursts per interval 1 to 3.");
        if (speed == VirtualSpeed.Full && MaxPacketSize > 1023)
            throw new ArgumentException($"Endpoint 0x{Address:x2}: a full-speed packet has at most 1023 bytes.");
        if (MaxStreamsExponent is < 0 or > 16)
            throw new ArgumentException($"Endpoint 0x{Address:x2}: the exponent of the number of streams is 0 to 16.");
    }

    internal void Write(List<byte> to, VirtualSpeed speed)
    {
        int packet = MaxPacketSize | (speed == VirtualSpeed.High ? (PacketsPerMicroframe - 1) << 11 : 0);
        to.AddRange([(byte)(Audio is null ? 7 : 9), 5, Address, (byte)((int)Kind | SyncAndUsage), (byte)packet, (byte)(packet >> 8), Interval]);
        if (Audio is { } audio)
            to.AddRange([audio.Refresh, audio.SyncAddress]);
        if (speed >= VirtualSpeed.Super)
        {
            bool periodic = Kind is EndpointKind.Isochronous or EndpointKind.Interrupt;
            int attributes = Kind == EndpointKind.Isochronous ? BurstsPerInterval - 1 : Kind == EndpointKind.Bulk ? MaxStreamsExponent : 0;
            int bytes = periodic ? BytesPerInterval(speed) : 0;
            Span<byte> size = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(size, (ushort)bytes);
            to.AddRange([6, 0x30, (byte)(Burst - 1), (byte)attributes, size[0], size[1]]);
        }
        to.AddRange(Extra.Span);
    }
}
