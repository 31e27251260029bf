namespace Native.LibUsb.Testing;

/// <summary>Checks received packets of the <see cref="NumberedPattern"/> and counts errors.</summary>
/// <remarks>The class is not thread-safe. Only the constructor allocates.</remarks>
public sealed class NumberedPatternChecker
{
    private const int Window = 4096; // how many packets back the checker distinguishes late packets from repeated ones

    private readonly int _packetSize;
    private readonly byte[] _partial;
    private readonly ulong[] _seen = new ulong[Window];
    private int _partialLength;
    private ulong _next, _first;
    private bool _started;

    /// <summary>Initializes a new instance of the <see cref="NumberedPatternChecker"/> class for packets of any size. The program must pass each packet to
    /// <see cref="AddPacket"/>.</summary>
    /// <param name="first">The number of the first packet. With null, the checker uses the number of the first received packet.</param>
    public NumberedPatternChecker(ulong? first = null)
        : this(0, first)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="NumberedPatternChecker"/> class for a byte stream of packets that all have the same size. The
    /// program must pass the stream, in pieces of any size, to <see cref="AddStream"/>.</summary>
    /// <param name="packetSize">The number of bytes in each packet, at least 8.</param>
    /// <param name="first">The number of the first packet. With null, the checker uses the number of the first received packet.</param>
    public NumberedPatternChecker(int packetSize, ulong? first)
    {
        if (packetSize != 0)
            ArgumentOutOfRangeException.ThrowIfLessThan(packetSize, NumberedPattern.NumberSize);
        _packetSize = packetSize;
        _partial = new byte[packetSize];
        _next = _first = first ?? 0;
        _started = first is not null;
        Array.Fill(_seen, ulong.MaxValue);
    }

    /// <summary>Gets the number of packets checked.</summary>
    public long Packets { get; private set; }

    /// <summary>Gets the number of bytes checked.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the number of packets that are missing between the first and the last packet.</summary>
    public long Lost { get; private set; }

    /// <summary>Gets the number of bytes that differ from the pattern.</summary>
    public long MismatchedBytes { get; private set; }

    /// <summary>Gets the number of packets that were received twice.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Gets the number of packets that were received after a packet with a higher number.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Gets the number of bytes at the end of a stream that do not fill a packet.</summary>
    public int TrailingBytes => _partialLength;

    /// <summary>Gets the number of the packet that is expected next.</summary>
    public ulong NextNumber => _next;

    /// <summary>Gets whether the checker has received at least one packet and found no error and no trailing bytes.</summary>
    public bool IsPerfect => Packets > 0 && Lost == 0 && MismatchedBytes == 0 && Duplicates == 0 && OutOfOrder == 0 && TrailingBytes == 0;

    /// <summary>Checks one packet.</summary>
    public void AddPacket(ReadOnlySpan<byte> packet)
    {
        Packets++;
        Bytes += packet.Length;
        ulong number = NumberedPattern.ReadNumber(packet);
        if (packet.Length < NumberedPattern.NumberSize && _started)
        {
            // The packet is too short to contain its number. It is assumed to be the expected packet.
            number = _next;
        }
        int wrong = NumberedPattern.CountMismatches(packet, number);
        if (wrong > 0 && _started && number != _next)
        {
            // Either the number or the rest of the packet is damaged. The assumption with fewer wrong bytes is more likely.
            int expected = NumberedPattern.CountMismatches(packet, _next);
            if (expected <= wrong)
            {
                number = _next;
                wrong = expected;
            }
        }
        MismatchedBytes += wrong;
        Place(number);
    }

    /// <summary>Checks the next bytes of a byte stream.</summary>
    /// <exception cref="InvalidOperationException">The checker was created without a packet size.</exception>
    public void AddStream(ReadOnlySpan<byte> bytes)
    {
        if (_packetSize == 0)
            throw new InvalidOperationException("The checker was made without a packet size.");
        if (_partialLength > 0)
        {
            int part = Math.Min(bytes.Length, _packetSize - _partialLength);
            bytes[..part].CopyTo(_partial.AsSpan(_partialLength));
            _partialLength += part;
            bytes = bytes[part..];
            if (_partialLength < _packetSize)
                return;
            _partialLength = 0;
            AddPacket(_partial);
        }
        for (; bytes.Length >= _packetSize; bytes = bytes[_packetSize..])
            AddPacket(bytes[.._packetSize]);
        bytes.CopyTo(_partial);
        _partialLength = bytes.Length;
    }

    /// <summary>Returns all counts in one line.</summary>
    public override string ToString() =>
        $"{Packets} packets, {Bytes} bytes, {Lost} lost, {MismatchedBytes} bytes wrong, {Duplicates} repeated, {OutOfOrder} out of order, {TrailingBytes} bytes left over";

    private void Place(ulong number)
    {
        ref ulong seen = ref _seen[number % Window];
        if (!_started || number >= _next)
        {
            if (_started)
                Lost = (long)Math.Min((ulong)Lost + Math.Min(number - _next, long.MaxValue), long.MaxValue);
            else
                _first = number;
            _started = true;
            _next = number + 1;
        }
        else if (seen == number)
        {
            Duplicates++;
        }
        else
        {
            // The packet was counted as lost when a later one arrived before it, unless its number is lower than the first.
            OutOfOrder++;
            if (Lost > 0 && number >= _first)
                Lost--;
        }
        seen = number;
    }
}
