namespace Native.LibUsb.Testing;

/// <summary>Specifies a fault and the URBs that it hits. A rule of a <see cref="FaultPlan"/>.</summary>
/// <param name="Kind">The fault.</param>
public sealed record FaultRule(FaultKind Kind)
{
    private const int InputOutputError = 5;

    /// <summary>Gets the address of the endpoint; null for every endpoint but 0.</summary>
    public byte? Endpoint { get; init; }

    /// <summary>
    /// Gets the number of the first URB that the rule can hit. Each endpoint counts its URBs from 0 since the device was made; <see cref="FaultKind.Refuse"/>
    /// and <see cref="FaultMoment.Submission"/> count attempts to submit one, and <see cref="FaultKind.Packets"/> counts packets.
    /// </summary>
    public long First { get; init; }

    /// <summary>Gets the distance of the URBs that the rule can hit; 1 for each one from <see cref="First"/> on.</summary>
    public long Every { get; init; } = 1;

    /// <summary>Gets how often the rule hits at most.</summary>
    public long Limit { get; init; } = long.MaxValue;

    /// <summary>Gets the part of those URBs that the rule hits, 0 to 1. The plan's seed decides which ones: the same ones in each run.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Gets the error number of Linux with which <see cref="FaultKind.Refuse"/> refuses; EIO unless it is set.</summary>
    public int Error { get; init; } = InputOutputError;

    /// <summary>Gets how <see cref="FaultKind.Status"/> ends a URB. A stall halts the endpoint too.</summary>
    public UrbStatus Status { get; init; } = UrbStatus.Protocol;

    /// <summary>
    /// Gets the bytes that move at most, for <see cref="FaultKind.Status"/>, <see cref="FaultKind.ShortPacket"/> and <see cref="FaultKind.Babble"/>. They are the
    /// device's own: with a length the URB waits until the device answers. With 0, <see cref="FaultKind.Status"/> does not ask the device at all, and
    /// <see cref="FaultKind.Babble"/> leaves all bytes.
    /// </summary>
    public int Length { get; init; }

    /// <summary>Gets the delay of <see cref="FaultKind.Late"/> and the longest one of <see cref="FaultKind.Reorder"/>; 10 milliseconds unless it is set.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Gets the pattern of <see cref="FaultKind.Packets"/>, one character for a packet, which repeats: <c>.</c> good, <c>m</c> missed (EXDEV), <c>p</c> protocol
    /// error (EPROTO), <c>c</c> checksum error (EILSEQ), <c>b</c> buffer overrun (ECOMM), <c>o</c> overflow (EOVERFLOW), <c>e</c> empty without an error.
    /// </summary>
    public string Pattern { get; init; } = ".";

    /// <summary>Gets when <see cref="FaultKind.Unplug"/> and <see cref="FaultKind.Reset"/> happen.</summary>
    public FaultMoment Moment { get; init; } = FaultMoment.Arrival;

    /// <summary>Gets whether the host must ask the bus before it submits a URB.</summary>
    internal bool IsAtSubmission => Kind == FaultKind.Refuse || (Kind is FaultKind.Unplug or FaultKind.Reset && Moment == FaultMoment.Submission);

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(First);
        ArgumentOutOfRangeException.ThrowIfLessThan(Every, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Limit);
        ArgumentOutOfRangeException.ThrowIfNegative(Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(Error, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Error, 4095);
        ArgumentOutOfRangeException.ThrowIfLessThan(Delay, TimeSpan.Zero);
        if (Probability is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(Probability), Probability, "A probability is 0 to 1.");
        if (Kind == FaultKind.Status && Status == UrbStatus.Success)
            throw new ArgumentException("Success is no fault.", nameof(Status));
        if (Pattern is not { Length: > 0 })
            throw new ArgumentException("A pattern has at least one packet.", nameof(Pattern));
        foreach (char packet in Pattern)
            _ = FaultOf(packet);
    }

    /// <summary>Returns what becomes of a packet of the pattern; null when it is good.</summary>
    internal IsoFault? PacketFault(long packet) => FaultOf(Pattern[(int)(packet % Pattern.Length)]);

    private static IsoFault? FaultOf(char packet) => packet switch
    {
        '.' => null,
        'm' => new IsoFault(UrbStatus.Missed),
        'p' => new IsoFault(UrbStatus.Protocol),
        'c' => new IsoFault(UrbStatus.Checksum),
        'b' => new IsoFault(UrbStatus.BufferOverrun),
        'o' => new IsoFault(UrbStatus.Overflow),
        'e' => new IsoFault(UrbStatus.Success),
        _ => throw new ArgumentException($"A pattern has no packet '{packet}'.", nameof(packet)),
    };
}
