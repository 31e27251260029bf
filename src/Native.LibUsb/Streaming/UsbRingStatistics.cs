namespace Native.LibUsb.Streaming;

/// <summary>Represents the counts of a ring since it was made.</summary>
/// <remarks>
/// Every packet of an isochronous device that does not reach the program has one of four causes:
/// <list type="bullet">
/// <item>The packet was bad: the device or the bus failed, and <see cref="PacketStatuses"/> has the status.</item>
/// <item>The program was slow: the packet arrived, no buffer was free for it, and it is in <see cref="Dropped"/>.</item>
/// <item>The event thread was late: it handled a completion only when all transfers of the queue had ended. <see cref="MissedWhileLate"/> counts these intervals, and
/// <see cref="LongestDelay"/> shows by how much. More or larger transfers, or a higher priority of the event thread, bridge longer delays.</item>
/// <item>The queue ran empty although the event thread ran in time: <see cref="MissedIntervals"/> without <see cref="MissedWhileLate"/>. No buffer was free, or
/// submissions were refused (<see cref="SubmitFailures"/>).</item>
/// </list>
/// A <see cref="UsbTransfer"/> that is submitted on the endpoint of a ring that reads takes data out of its stream, and no count shows it.
/// </remarks>
public readonly record struct UsbRingStatistics
{
    /// <summary>Gets or sets the number of transfers in flight now.</summary>
    public int InFlight { get; init; }

    /// <summary>Gets or sets the lowest number of transfers in flight since the ring was last started, counted after a transfer has ended and others have been
    /// submitted: 0 means that the queue ran empty.</summary>
    public int LowestInFlight { get; init; }

    /// <summary>Gets or sets the number of transfers that ended, with any status.</summary>
    public long Completions { get; init; }

    /// <summary>Gets or sets the number of bytes that moved.</summary>
    public long Bytes { get; init; }

    /// <summary>Gets or sets the number of good isochronous packets, empty ones included.</summary>
    public long Packets { get; init; }

    /// <summary>Gets or sets the number of good isochronous packets without data: the device had nothing to send.</summary>
    public long EmptyPackets { get; init; }

    /// <summary>Gets or sets the number of submissions that libusb refused.</summary>
    public long SubmitFailures { get; init; }

    /// <summary>Gets or sets the error with which libusb last refused a submission; <see cref="UsbError.Success"/> if it has refused none.</summary>
    public UsbError LastSubmitFailure { get; init; }

    /// <summary>
    /// Gets or sets how often a ring that is written had nothing in flight: a transfer had ended, no committed buffer waited, and neither the handler nor code that continues
    /// in the callback had refilled the queue. Each transfer of <see cref="UsbRingOptions.FillUnderruns"/> counts.
    /// </summary>
    public long Underruns { get; init; }

    /// <summary>Gets or sets the number of halts that the ring cleared.</summary>
    public long Recoveries { get; init; }

    /// <summary>Gets or sets the data that arrived and that the ring discarded because the reader was late.</summary>
    public UsbRingLoss Dropped { get; init; }

    /// <summary>
    /// Gets or sets the number of service intervals of an isochronous endpoint in which no transfer was in the queue, found by comparing the clocks, to within half a
    /// transfer.
    /// </summary>
    public long MissedIntervals { get; init; }

    /// <summary>
    /// Gets or sets how many of the <see cref="MissedIntervals"/> were missed because the event thread was late: it handled a completion so late that all transfers of the
    /// queue had ended by then. The others were missed because the queue ran empty although the event thread ran in time, for example because no buffer was
    /// free, or because submissions were refused.
    /// </summary>
    public long MissedWhileLate { get; init; }

    /// <summary>
    /// Gets or sets the longest time between the completion of an isochronous transfer and its handling, found by comparing clocks about four times a second. The queue
    /// must last longer. Zero for other rings.
    /// </summary>
    public TimeSpan LongestDelay { get; init; }

    /// <summary>
    /// Gets or sets the longest time from the beginning of a callback to its end, the program's handler included. A callback ends where the next callback of a ring on the
    /// same thread begins, or where the thread has handled all events that were there.
    /// </summary>
    public TimeSpan LongestCallback { get; init; }

    /// <summary>Gets or sets the numbers of transfers by status.</summary>
    public UsbStatusCounts Transfers { get; init; }

    /// <summary>Gets or sets the numbers of isochronous packets by status.</summary>
    public UsbStatusCounts PacketStatuses { get; init; }

    /// <summary>Gets or sets the number of isochronous packets of the device that did not reach the program: failed packets, dropped packets and missed
    /// intervals. A packet that failed and was dropped counts once.</summary>
    public long LostPackets { get; init; }
}
