using System.Globalization;

namespace Native.LibUsb.Streaming;

/// <summary>Specifies the sizes of a ring, and its reactions to late readers, halts and errors.</summary>
/// <remarks>
/// <para>The depth that counts is the time that transfers in flight cover while the program is late: good rings have 25 to 400 ms of it.
/// <see cref="ForRate"/> computes the sizes from a rate and such a time. <see cref="ForLatency"/> chooses sizes that deliver each packet at once.</para>
/// <para>Linux limits the memory of all transfers of all programs together (<see cref="SystemMemoryLimit"/>, usually 16 MiB). Sizes that are left
/// to the library take at most half of it. Sizes that the program sets may take all of it; larger ones are refused when the ring is created, with
/// a message that says how to raise the limit.</para>
/// </remarks>
public sealed record UsbRingOptions
{
    /// <summary>
    /// Gets the number of transfers that are submitted at the same time, 1 to 4,096. 0, the default, stands for 16, or for fewer where 16 would
    /// take more than half of <see cref="SystemMemoryLimit"/>; <see cref="UsbRing.Transfers"/> is the number that was chosen.
    /// </summary>
    public int Transfers { get; init; }

    /// <summary>
    /// Gets the size of one bulk or interrupt transfer in bytes. A ring that reads needs a multiple of the endpoint's packet size. 0, the default,
    /// stands for 64 KiB for bulk and one service interval for interrupt endpoints. Not for isochronous endpoints.
    /// </summary>
    /// <remarks>
    /// A transfer that reads ends, and its data is delivered, when it is full or when a packet arrives that is shorter than
    /// <see cref="UsbEndpointDescriptor.MaxPacketSize"/>. A device that sends 1,024 bytes in two full packets of 512, without a zero-length packet
    /// behind them, does not end a transfer of 64 KiB: its data is delivered when 64 such messages have arrived, or when the ring is stopped.
    /// Large transfers suit continuous streams; where data is needed at once, set the size of one message, or one packet as
    /// <see cref="ForLatency"/> does.
    /// <para>On Linux a controller without scatter-gather has transfers of at most 16 KiB. A ring then divides the size, and multiplies <see cref="Transfers"/> and
    /// <see cref="Spares"/> instead; <see cref="UsbRing.TransferSize"/> is the size that was chosen.</para>
    /// </remarks>
    public int TransferSize { get; init; }

    /// <summary>
    /// Gets the number of packets of one isochronous transfer, which is delivered when all of them had their turn. 0, the default, stands for 32,
    /// or for 16 to 1 where four such transfers would take more than half of <see cref="SystemMemoryLimit"/>. libusb makes several URBs of more
    /// than 128 packets on Linux. Use multiples of 8 on Windows, and few transfers of many packets on macOS.
    /// </summary>
    public int PacketsPerTransfer { get; init; }

    /// <summary>Gets or sets the bytes requested in one isochronous packet; 0 is what the endpoint may move in a service interval.</summary>
    public int PacketSize { get; init; }

    /// <summary>
    /// Gets or sets the number of further buffers. With them a transfer that ends is replaced in the queue before its data is looked at, and a reader may hold that many
    /// before the queue runs short; without, each buffer is submitted again when it was consumed. 0 to 4,096; 16 when left out.
    /// </summary>
    public int Spares { get; init; } = 16;

    /// <summary>Gets or sets what happens when a reader is late.</summary>
    public UsbRingOverflow Overflow { get; init; }

    /// <summary>Gets or sets what happens when the endpoint stalls.</summary>
    public UsbRingStall Stall { get; init; }

    /// <summary>
    /// Gets or sets whether an isochronous ring that writes sends zeros when there is nothing else, so that the endpoint never misses its turn; each such
    /// transfer counts as an under-run.
    /// </summary>
    public bool FillUnderruns { get; init; }

    /// <summary>
    /// Transfers that may fail one after the other, 100 when left out, before the ring gives up. The bus has tried each of them several times already.
    /// </summary>
    public int ErrorLimit { get; init; } = 100;

    /// <summary>Gets or sets the bulk stream of the endpoint to use, as <see cref="UsbDeviceHandle.AllocateStreams(int, ReadOnlySpan{byte})"/> gave it; 0 is
    /// none.</summary>
    public int StreamId { get; init; }

    /// <summary>
    /// Gets or sets whether code that awaits buffers goes on on the event thread, inside libusb's callback and under its rules, instead of on the thread pool.
    /// </summary>
    public bool ContinueOnEventThread { get; init; }

    /// <summary>
    /// Gets the memory of the buffers, for example <see cref="UsbDeviceHandle.AllocateBuffer"/> with device memory, from which the kernel does not copy. Empty, the
    /// default, lets the ring allocate memory of its own.
    /// </summary>
    /// <remarks>
    /// The buffers lie one after the other, (<see cref="Transfers"/> + <see cref="Spares"/>) of the size of a transfer; the message of a refusal has the number of
    /// bytes. The ring pins the memory until the ring has been disposed and all its transfers have come back. A <see cref="UsbBuffer"/> that is disposed before the
    /// ring keeps its native memory until then, but its bytes cannot be read any more: members of the buffers throw <see cref="ObjectDisposedException"/>.
    /// </remarks>
    public Memory<byte> Memory { get; init; }

    /// <summary>
    /// Gets whether each buffer has a timestamp; true when left out. Without timestamps a transfer costs 10 to 50 ns less, depending on the system's clock, and
    /// <see cref="UsbInputBuffer.Timestamp"/>, <see cref="UsbRingStatistics.LongestCallback"/>, <see cref="UsbRingStatistics.LongestDelay"/> and
    /// <see cref="UsbRingStatistics.MissedIntervals"/> stay 0.
    /// </summary>
    public bool Timestamps { get; init; } = true;

    /// <summary>Names the ring in the published metrics; null is the endpoint's address.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Returns sizes for a rate: transfers in flight that cover <paramref name="depth"/> at that rate, each of them large enough that the program
    /// is woken up about 500 times a second or less often.
    /// </summary>
    /// <remarks>
    /// <para>Bulk transfers have up to 256 KiB, and one that is not full is delivered only when a short packet ends it (see
    /// <see cref="TransferSize"/>): the data of a device that sends less than the rate is delivered late. Use <see cref="ForLatency"/> where data
    /// comes now and then.</para>
    /// <para>Linux limits the memory of all USB transfers of all programs together (<see cref="SystemMemoryLimit"/>, usually 16 MiB). Without a depth
    /// the result takes at most half of the limit, and covers less than 100 ms where 100 ms would take more: 21 ms at the highest isochronous rate
    /// of SuperSpeed, 393 MB/s. A depth that is given is not shortened: if it exceeds the limit, the method throws. 256 ms at that rate are 96 MiB
    /// of data.</para>
    /// </remarks>
    /// <param name="endpoint">The endpoint, whose packets fill whole transfers.</param>
    /// <param name="bytesPerSecond">What is expected to move. Isochronous endpoints take their turn at the rate of the descriptors instead.</param>
    /// <param name="depth">How long the program may be late; null is 100 ms, or what half of the system's limit has room for.</param>
    /// <returns>Options with <see cref="Transfers"/>, <see cref="Spares"/> and the size of a transfer set.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The rate or the depth is not positive, or <paramref name="depth"/> takes more memory than Linux allows; the message names the number that the
    /// limit must be raised to.
    /// </exception>
    public static UsbRingOptions ForRate(UsbEndpointDescriptor endpoint, double bytesPerSecond, TimeSpan? depth = null) =>
        SizesForRate(endpoint, bytesPerSecond, depth, UsbfsMemory.Limit);

    /// <summary>
    /// Returns sizes that deliver data as soon as it has arrived: bulk transfers of one packet, interrupt transfers of one service interval, and
    /// isochronous transfers of one millisecond.
    /// </summary>
    /// <remarks>
    /// Each packet costs a transfer, a callback and a wake-up of the program, so this suits devices that send messages or move up to about ten
    /// thousand packets a second. A message of several packets is delivered in several buffers.
    /// </remarks>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="transfers">
    /// Transfers in flight, 1 to 4,096: that many packets (isochronous: milliseconds) may arrive while the program is late. 0, the default, stands
    /// for 32, or for as many as take half of <see cref="SystemMemoryLimit"/>.
    /// </param>
    /// <returns>Options with <see cref="Transfers"/>, <see cref="Spares"/> and the size of a transfer set.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="transfers"/> is negative, or more than 4,096.</exception>
    public static UsbRingOptions ForLatency(UsbEndpointDescriptor endpoint, int transfers = 0) =>
        SizesForLatency(endpoint, transfers, UsbfsMemory.Limit);

    /// <summary>
    /// Bytes that Linux allows all USB transfers of all programs together (<c>usbfs_memory_mb</c>); null when there is no limit, and on other systems.
    /// </summary>
    public static long? SystemMemoryLimit => UsbfsMemory.Limit;

    internal const int MostTransfers = 4096;

    private const int MostIsoBytes = 1 << 20;
    private const int LatencyTransfers = 32;

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="bytesPerSecond">The rate.</param>
    /// <param name="depth">The time to cover; null for the default.</param>
    /// <param name="limit">Bytes that the system allows all transfers together; null for no limit.</param>
    private static UsbRingOptions SizesForRate(UsbEndpointDescriptor endpoint, double bytesPerSecond, TimeSpan? depth, long? limit)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        TimeSpan time = depth ?? TimeSpan.FromMilliseconds(100);
        if (!(bytesPerSecond > 0) || double.IsInfinity(bytesPerSecond))
            throw new ArgumentOutOfRangeException(nameof(bytesPerSecond), bytesPerSecond, "A rate is more than 0 bytes a second.");
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(depth));

        double total = bytesPerSecond * time.TotalSeconds;
        if (endpoint.TransferType == UsbTransferType.Isochronous)
        {
            // The bus polls every interval, however little moves in each: the depth is a number of intervals.
            double intervals = Math.Max(2, time / endpoint.ServiceInterval);
            int bytes = Math.Max(endpoint.BytesPerInterval, 1);
            double most = Math.Min(intervals / 4, MostIsoBytes / (double)bytes);
            if (depth is null && limit is { } allowed) // a quarter of the available room, so that a queue of transfers remains
                most = Math.Min(most, UsbfsMemory.ShareOf(allowed) / 4.0 / bytes);
            int packets = (int)Math.Clamp(most, 1, 64);
            packets = packets >= 8 ? packets / 8 * 8 : packets;
            return Sized(new UsbRingOptions { PacketsPerTransfer = packets }, intervals / packets, UsbfsMemory.CostOf((long)packets * bytes, packets), depth, limit);
        }

        int packet = Math.Max(endpoint.BytesPerInterval, 1);
        double wanted = Math.Clamp(Math.Min(bytesPerSecond / 500, total / 4), packet, Math.Max(256 * 1024, packet));
        int size = (int)Math.Ceiling(wanted / packet) * packet;
        return Sized(new UsbRingOptions { TransferSize = size }, total / size, UsbfsMemory.CostOf(size, 0), depth, limit);
    }

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="transfers">Transfers in flight; 0 for the default.</param>
    /// <param name="limit">Bytes that the system allows all transfers together; null for no limit.</param>
    private static UsbRingOptions SizesForLatency(UsbEndpointDescriptor endpoint, int transfers, long? limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(transfers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(transfers, MostTransfers);
        bool isochronous = endpoint.TransferType == UsbTransferType.Isochronous;
        int packets = isochronous ? (int)Math.Max(1, TimeSpan.FromMilliseconds(1) / endpoint.ServiceInterval) : 0;
        int size = isochronous ? 0
            : endpoint.TransferType == UsbTransferType.Interrupt ? Math.Max(endpoint.BytesPerInterval, 1)
            : Math.Max(endpoint.MaxPacketSize, 1);
        if (transfers == 0)
        {
            long cost = UsbfsMemory.CostOf(isochronous ? (long)packets * endpoint.BytesPerInterval : size, packets);
            transfers = limit is { } allowed ? (int)Math.Clamp(UsbfsMemory.ShareOf(allowed) / cost, 1, LatencyTransfers) : LatencyTransfers;
        }

        return new UsbRingOptions { TransferSize = size, PacketsPerTransfer = packets, Transfers = transfers, Spares = transfers };
    }

    /// <summary>Adds the number of transfers: as many as the depth needs, and no more than the system has memory for.</summary>
    private static UsbRingOptions Sized(UsbRingOptions options, double wanted, long cost, TimeSpan? depth, long? limit)
    {
        int transfers = (int)Math.Clamp(Math.Ceiling(wanted), 2, MostTransfers);
        if (limit is { } allowed)
        {
            if (depth is null)
            {
                transfers = (int)Math.Clamp(UsbfsMemory.ShareOf(allowed) / cost, 1, transfers);
            }
            else if (transfers * cost > allowed)
            {
                throw new ArgumentOutOfRangeException(nameof(depth), depth, string.Create(CultureInfo.InvariantCulture,
                    $"{depth.Value.TotalMilliseconds:0.###} ms at this rate take {UsbfsMemory.MegabytesFor(transfers * cost)} MiB in flight, and Linux allows all USB " +
                    $"transfers together {allowed >> 20} MiB: choose a shorter depth, or leave it out for the longest that leaves half of the limit to other devices. ") +
                    UsbfsMemory.HowToRaise(transfers * cost));
            }
        }

        return options with { Transfers = transfers, Spares = transfers };
    }
}
