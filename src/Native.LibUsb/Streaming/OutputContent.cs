namespace Native.LibUsb.Streaming;

/// <summary>Represents the data that one transfer of an output ring sends. Changed under the ring's lock.</summary>
internal sealed class OutputContent
{
    private int[] _packetLengths = [];
    private int _packets;

    /// <summary>Gets the bytes that were committed.</summary>
    public int Committed { get; private set; }

    /// <summary>Gets or sets how many of them the device has taken.</summary>
    public int Sent { get; set; }

    /// <summary>Gets whether the ring itself sends zeros, because nothing was committed in time.</summary>
    public bool IsFiller { get; private set; }

    /// <summary>Gets whether a zero-length packet follows when the last packet is full.</summary>
    public bool EndsMessage { get; private set; }

    /// <summary>Gets whether the device has taken everything although the transfer did not complete. A zero-length packet is taken when it completes.</summary>
    public bool IsSent => Committed > 0 && Sent >= Committed && !EndsMessage;

    /// <summary>Gets the bytes that the device has not taken; zeros of the ring itself do not count.</summary>
    public int Unsent => IsFiller ? 0 : Committed - Sent;

    /// <summary>Gets the lengths of the isochronous packets; empty if they have the ring's packet size, and the last one has the rest.</summary>
    public ReadOnlySpan<int> PacketLengths => _packetLengths.AsSpan(0, _packets);

    /// <summary>Takes bytes that the program committed.</summary>
    public void Set(int length, bool endsMessage) => Set(length, endsMessage, isFiller: false);

    /// <summary>Takes isochronous packets of given lengths.</summary>
    /// <param name="lengths">The lengths, at least one.</param>
    /// <param name="total">Their sum.</param>
    public void SetPackets(ReadOnlySpan<int> lengths, int total)
    {
        Set(total, endsMessage: false, isFiller: false);
        lengths.CopyTo(_packetLengths);
        _packets = lengths.Length;
    }

    /// <summary>Takes zeros.</summary>
    public void SetFiller(int length) => Set(length, endsMessage: false, isFiller: true);

    /// <summary>Makes room for the lengths of packets, so that <see cref="SetPackets"/> allocates nothing.</summary>
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
