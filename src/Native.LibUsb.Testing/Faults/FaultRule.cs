namespace Native.LibUsb.Testing;

/// <summary>Specifies a fault and the URBs to which it applies. Rules belong to a <see cref="FaultPlan"/>.</summary>
/// <param name="Kind">The kind of the fault.</param>
public sealed record FaultRule(FaultKind Kind)
{
    private const int InputOutputError = 5;

    /// <summary>Gets the address of the endpoint. Null for all endpoints except endpoint 0.</summary>
    public byte? Endpoint { get; init; }

    /// <summary>
    /// Gets the number of the first URB to which the rule can apply. Each endpoint counts its URBs from 0, starting when the device was created.
    /// For <see cref="FaultKind.Refuse"/> and <see cref="FaultMoment.Submission"/>, the value is the number of an attempt to submit a URB. For
    /// <see cref="FaultKind.Packets"/>, the value is the number of a packet.
    /// </summary>
    public long First { get; init; }

    /// <summary>
    /// Gets the distance between the URBs to which the rule can apply. With 1, the rule can apply to every URB from <see cref="First"/> on.
    /// </summary>
    public long Every { get; init; } = 1;

    /// <summary>Gets the maximum number of times that the rule applies.</summary>
    public long Limit { get; init; } = long.MaxValue;

    /// <summary>
    /// Gets the probability, from 0 to 1, with which the rule applies to each URB that the other properties select. The plan's seed determines the random
    /// selection, so each run selects the same URBs.
    /// </summary>
    public double Probability { get; init; } = 1;

    /// <summary>Gets the Linux error number with which <see cref="FaultKind.Refuse"/> refuses a submission. The default is EIO.</summary>
    public int Error { get; init; } = InputOutputError;

    /// <summary>Gets the status with which <see cref="FaultKind.Status"/> ends a URB. A stall also halts the endpoint.</summary>
    public UrbStatus Status { get; init; } = UrbStatus.Protocol;

    /// <summary>
    /// Gets the maximum number of bytes that a URB moves, for <see cref="FaultKind.Status"/>, <see cref="FaultKind.ShortPacket"/> and
    /// <see cref="FaultKind.Babble"/>. The URB waits until the device answers, because the bytes come from that answer. For <see cref="FaultKind.Status"/>, the
    /// length 0 means that the URB fails without reaching the device. For <see cref="FaultKind.Babble"/>, the length 0 means no limit: the URB receives all
    /// bytes of the answer.
    /// </summary>
    public int Length { get; init; }

    /// <summary>Gets the delay of <see cref="FaultKind.Late"/>, or the maximum delay of <see cref="FaultKind.Reorder"/>. The default is 10
    /// milliseconds.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Gets the pattern of <see cref="FaultKind.Packets"/>. The pattern repeats. Each character stands for one packet: <c>.</c> good, <c>m</c> missed
    /// (EXDEV), <c>p</c> protocol error (EPROTO), <c>c</c> checksum error (EILSEQ), <c>b</c> buffer overrun (ECOMM), <c>o</c> overflow (EOVERFLOW),
    /// <c>e</c> empty without an error.
    /// </summary>
    public string Pattern { get; init; } = ".";

    /// <summary>Gets the moment at which <see cref="FaultKind.Unplug"/> or <see cref="FaultKind.Reset"/> takes effect.</summary>
    public FaultMoment Moment { get; init; } = FaultMoment.Arrival;

    /// <summary>Gets whether the rule requires the host to request permission from the bus before it submits a URB.</summary>
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

    /// <summary>Returns the fault that the pattern defines for a packet. Null if the packet has none.</summary>
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
