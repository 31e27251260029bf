namespace Native.LibUsb.Streaming;

/// <summary>Represents what one transfer of an output ring sends. Changed under the ring's lock.</summary>
internal sealed class OutputContent
{
    private int[] _packetLengths = [];
    private int _packets;

    /// <summary>Gets the bytes that were committed.</summary>
    public int Committed { get; private set; }

    /// <summary>Gets or sets how many of them the device has taken.</summary>
    public int Sent { get; set; }

    /// <summary>Gets whether the ring itself has put silence in, because nothing was committed in time.</summary>
    public bool IsFiller { get; private set; }

    /// <summary>Gets whether a zero-length packet follows when the last packet is full.</summary>
    public bool EndsMessage { get; private set; }

    /// <summary>Gets the bytes that the device has not taken; silence does not count.</summary>
    public int Unsent => IsFiller ? 0 : Committed - Sent;

    /// <summary>Gets the lengths of the isochronous packets.</summary>
    public ReadOnlySpan<int> PacketLengths => _packetLengths.AsSpan(0, _packets);

    /// <summary>Takes bytes that the program committed.</summary>
    public void Set(int length, bool endsMessage)
    {
        Committed = length;
        Sent = 0;
        EndsMessage = endsMessage;
        IsFiller = false;
    }

    /// <summary>Takes isochronous packets of given lengths.</summary>
    /// <param name="lengths">The lengths.</param>
    /// <param name="total">Their sum.</param>
    /// <param name="capacity">The most packets that a transfer of the ring has.</param>
    public void SetPackets(ReadOnlySpan<int> lengths, int total, int capacity)
    {
        Set(total, endsMessage: false);
        Reserve(capacity);
        lengths.CopyTo(_packetLengths);
        _packets = lengths.Length;
    }

    /// <summary>Takes isochronous packets of one size, the last of which may be shorter.</summary>
    public void SetPackets(int total, int packetSize, int capacity, bool isFiller = false)
    {
        Set(total, endsMessage: false);
        Reserve(capacity);
        IsFiller = isFiller;
        _packets = (total + packetSize - 1) / packetSize;
        _packetLengths.AsSpan(0, _packets).Fill(packetSize);
        _packetLengths[_packets - 1] = total - ((_packets - 1) * packetSize);
    }

    private void Reserve(int capacity)
    {
        if (_packetLengths.Length < capacity)
            _packetLengths = new int[capacity];
    }
}
