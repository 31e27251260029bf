namespace Native.LibUsb.Streaming;

/// <summary>Represents the data that one transfer of an output ring sends. A caller must hold the ring's lock while it changes the object.</summary>
internal sealed class OutputContent
{
    private int[] _packetLengths = [];
    private int _packets;

    /// <summary>Gets the number of committed bytes.</summary>
    public int Committed { get; private set; }

    /// <summary>Gets or sets the number of committed bytes that the device has taken.</summary>
    public int Sent { get; set; }

    /// <summary>Gets whether the transfer sends zeros, because the program has not committed data in time.</summary>
    public bool IsFiller { get; private set; }

    /// <summary>Gets whether a zero-length packet follows if the last packet is full.</summary>
    public bool EndsMessage { get; private set; }

    /// <summary>
    /// Gets whether the device has taken all bytes of a transfer that did not complete. If a zero-length packet must follow the bytes, the property is false,
    /// because the transfer may not have sent this packet.
    /// </summary>
    public bool IsSent => Committed > 0 && Sent >= Committed && !EndsMessage;

    /// <summary>Gets the number of committed bytes that the device has not taken. Zeros that the ring sends by itself do not count.</summary>
    public int Unsent => IsFiller ? 0 : Committed - Sent;

    /// <summary>
    /// Gets the lengths of the isochronous packets. If the span is empty, all packets except the last one have the ring's packet size, and the last packet has
    /// the remaining bytes.
    /// </summary>
    public ReadOnlySpan<int> PacketLengths => _packetLengths.AsSpan(0, _packets);

    /// <summary>Sets the number of bytes that the program has committed.</summary>
    public void Set(int length, bool endsMessage) => Set(length, endsMessage, isFiller: false);

    /// <summary>Sets the lengths of the isochronous packets that the program has committed.</summary>
    /// <param name="lengths">The lengths of the packets; at least one packet.</param>
    /// <param name="total">The sum of the lengths.</param>
    public void SetPackets(ReadOnlySpan<int> lengths, int total)
    {
        Set(total, endsMessage: false, isFiller: false);
        lengths.CopyTo(_packetLengths);
        _packets = lengths.Length;
    }

    /// <summary>Marks the content as zeros.</summary>
    public void SetFiller(int length) => Set(length, endsMessage: false, isFiller: true);

    /// <summary>Allocates memory for the lengths of packets, so that <see cref="SetPackets"/> allocates nothing.</summary>
    public void Reserve(int packets)
    {
        if (_packetLengths.Length < packets)
            _packetLengths = new int[packets];
    }

    private void Set(int length, bool endsMessage, bool isFiller)
    {
        Committed = length;
        Sent = 0;
        EndsMessage = endsMessage;
        IsFiller = isFiller;
        _packets = 0;
    }
}
