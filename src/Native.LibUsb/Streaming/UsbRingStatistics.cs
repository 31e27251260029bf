namespace Native.LibUsb.Streaming;

/// <summary>Represents the counts of a ring since its creation.</summary>
/// <remarks>
/// There are four reasons why the program may not receive an isochronous packet:
/// <list type="bullet">
/// <item>The packet ended with an error, because of the device or the bus. <see cref="PacketStatuses"/> counts such packets by status.</item>
/// <item>The program was slow. The packet arrived, but no buffer was free for it. <see cref="Dropped"/> counts the packet.</item>
/// <item>The event thread was late. It handled a completion only after all transfers of the queue had ended. <see cref="MissedWhileLate"/> counts the service
/// intervals that were missed for this reason, and <see cref="LongestDelay"/> is the longest delay of the thread. To miss fewer intervals, use more or larger
/// transfers, or raise the priority of the event thread.</item>
/// <item>The queue ran empty although the event thread ran in time. No buffer was free, or libusb refused submissions (<see cref="SubmitFailures"/>). The
/// number of service intervals that were missed for this reason is <see cref="MissedIntervals"/> minus <see cref="MissedWhileLate"/>.</item>
/// </list>
/// If the program submits a <see cref="UsbTransfer"/> of its own on the endpoint of an input ring, this transfer takes data out of the ring's stream. No count
/// shows this loss.
/// </remarks>
public readonly record struct UsbRingStatistics
{
    /// <summary>Gets or sets the number of transfers in flight now.</summary>
    public int InFlight { get; init; }

    /// <summary>
    /// Gets or sets the lowest number of transfers in flight since the ring was last started. When a transfer ends, the ring first submits the next transfers,
    /// and then updates this number. The number is therefore 0 only if the ring had nothing to submit and the queue ran empty.
    /// </summary>
    public int LowestInFlight { get; init; }

    /// <summary>Gets or sets the number of transfers that ended, with any status.</summary>
    public long Completions { get; init; }

    /// <summary>Gets or sets the number of bytes that moved.</summary>
    public long Bytes { get; init; }

    /// <summary>Gets or sets the number of good isochronous packets, empty ones included.</summary>
    public long Packets { get; init; }

    /// <summary>Gets or sets the number of good isochronous packets that contained no data. The device had nothing to send in these packets.</summary>
    public long EmptyPackets { get; init; }

    /// <summary>Gets or sets the number of submissions that libusb refused.</summary>
    public long SubmitFailures { get; init; }

    /// <summary>
    /// Gets or sets the error with which libusb last refused a submission; <see cref="UsbError.Success"/> if libusb has refused no submission.
    /// </summary>
    public UsbError LastSubmitFailure { get; init; }

    /// <summary>
    /// Gets or sets how often an output ring had nothing in flight. The ring counts an underrun when its last transfer in flight ends and there is no committed
    /// buffer to send. If the program refills the queue inside the callback, the ring counts no underrun. The program can do so in a handler or, with
    /// <see cref="UsbRingOptions.ContinueOnEventThread"/>, in code that awaits a buffer. Each transfer of zeros that the ring sends because of
    /// <see cref="UsbRingOptions.FillUnderruns"/> also counts as an underrun.
    /// </summary>
    public long Underruns { get; init; }

    /// <summary>Gets or sets the number of halts that the ring cleared.</summary>
    public long Recoveries { get; init; }

    /// <summary>Gets or sets the data that arrived and that the ring discarded because the reader was late.</summary>
    public UsbRingLoss Dropped { get; init; }

    /// <summary>
    /// Gets or sets the number of service intervals in which an isochronous endpoint had no queued transfer. The ring compares the clocks of the bus and the
    /// host to find such intervals. The number is an estimate. Its error can reach the number of service intervals in half a transfer. If half a transfer is
    /// shorter than 1 ms, the error can reach the number of service intervals in 1 ms.
    /// </summary>
    public long MissedIntervals { get; init; }

    /// <summary>
    /// Gets or sets how many of the <see cref="MissedIntervals"/> were missed because the event thread was late. The thread is late if it handles a completion
    /// only after all transfers in the queue have ended. The other <see cref="MissedIntervals"/> were missed because the queue ran empty although the event
    /// thread ran in time. For example, no buffer was free, or libusb refused submissions.
    /// </summary>
    public long MissedWhileLate { get; init; }

    /// <summary>
    /// Gets or sets the longest time between the completion of an isochronous transfer and its handling; zero for other rings. The ring compares the clocks of
    /// the bus and the host about four times a second to find this time. The delay causes missed intervals only if it is longer than the time that the
    /// transfers in flight cover.
    /// </summary>
    public TimeSpan LongestDelay { get; init; }

    /// <summary>
    /// Gets or sets the longest duration of a callback, including the program's handler. The ring takes only one timestamp per callback. It therefore ends the
    /// measurement of a callback only when the same thread begins the next callback of a ring, or when the thread has handled all pending events.
    /// </summary>
    public TimeSpan LongestCallback { get; init; }

    /// <summary>Gets or sets the numbers of transfers by status.</summary>
    public UsbStatusCounts Transfers { get; init; }

    /// <summary>Gets or sets the numbers of isochronous packets by status.</summary>
    public UsbStatusCounts PacketStatuses { get; init; }

    /// <summary>
    /// Gets or sets the number of the device's isochronous packets that did not reach the program. The number is the sum of failed packets, dropped packets and
    /// missed intervals. A packet that failed and was also dropped counts only once.
    /// </summary>
    public long LostPackets { get; init; }
}
