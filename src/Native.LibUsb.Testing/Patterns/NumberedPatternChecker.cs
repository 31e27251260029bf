namespace Native.LibUsb.Testing;

/// <summary>Checks packets of the <see cref="NumberedPattern"/> in the order in which they come, and counts what is wrong.</summary>
/// <remarks>Not for several threads at once. Nothing is allocated after the constructor.</remarks>
public sealed class NumberedPatternChecker
{
    private const int Window = 4096; // how far back a late packet is distinguished from a repeated one

    private readonly int _packetSize;
    private readonly byte[] _partial;
    private readonly ulong[] _seen = new ulong[Window];
    private int _partialLength;
    private ulong _next, _first;
    private bool _started;

    /// <summary>Makes a checker for packets of any size, given one by one to <see cref="AddPacket"/>.</summary>
    /// <param name="first">The number of the first packet; null to take it from the first packet that comes.</param>
    public NumberedPatternChecker(ulong? first = null)
        : this(0, first)
    {
    }

    /// <summary>Makes a checker for a flat stream of packets of one size, given in pieces of any size to <see cref="AddStream"/>.</summary>
    /// <param name="packetSize">Bytes in each packet; at least 8.</param>
    /// <param name="first">The number of the first packet; null to take it from the first packet that comes.</param>
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

    /// <summary>Gets the packets checked.</summary>
    public long Packets { get; private set; }

    /// <summary>Gets the bytes checked.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the number of packets that are missing between the first and the last.</summary>
    public long Lost { get; private set; }

    /// <summary>Gets the number of bytes that differ from the pattern.</summary>
    public long MismatchedBytes { get; private set; }

    /// <summary>Gets the number of packets that came twice.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Gets the number of packets that came after a packet with a higher number.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Gets the bytes at the end of a stream that do not fill a packet.</summary>
    public int TrailingBytes => _partialLength;

    /// <summary>Gets the number of the packet that should come next.</summary>
    public ulong NextNumber => _next;

    /// <summary>Gets whether at least one packet came, and nothing is lost, changed, repeated or out of order, and no bytes are left over.</summary>
    public bool IsPerfect => Packets > 0 && Lost == 0 && MismatchedBytes == 0 && Duplicates == 0 && OutOfOrder == 0 && TrailingBytes == 0;

    /// <summary>Checks one packet.</summary>
    public void AddPacket(ReadOnlySpan<byte> packet)
    {
        Packets++;
        Bytes += packet.Length;
        ulong number = NumberedPattern.ReadNumber(packet);
        if (packet.Length < NumberedPattern.NumberSize && _started)
        {
            // too short for a number of its own: only its place says which it is
            number = _next;
        }
        int wrong = NumberedPattern.CountMismatches(packet, number);
        if (wrong > 0 && _started && number != _next)
        {
            // either the number is damaged or the rest is: the smaller damage is the likelier
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

    /// <summary>Checks the next bytes of a flat stream.</summary>
    /// <exception cref="InvalidOperationException">The checker was made without a packet size.</exception>
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

    /// <summary>Returns one line with all counts.</summary>
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
            // unless it is older than the first, it was counted as lost when a later one came before it
            OutOfOrder++;
            if (Lost > 0 && number >= _first)
                Lost--;
        }
        seen = number;
    }
}
