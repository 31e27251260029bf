using System.Globalization;

namespace Native.LibUsb.Streaming;

/// <summary>Specifies the sizes of a ring, and its reactions to late readers, halts and errors.</summary>
/// <remarks>
/// <para>The depth of a ring is the time for which the transfers in flight keep the endpoint busy. If the program pauses for less than this time, the
/// endpoint stays busy. A good depth is 25 to 400 ms. <see cref="ForRate"/> computes the sizes from a rate and a depth. <see cref="ForLatency"/> chooses sizes
/// with which the ring delivers each packet immediately.</para>
/// <para>Linux limits the memory of all transfers of all programs together (<see cref="SystemMemoryLimit"/>, usually 16 MiB). Sizes that the library chooses
/// take at most half of this memory. Sizes that the program sets may take all of this memory. If the sizes that the program sets need more memory than the
/// limit, the ring cannot be created, and the exception's message describes how to raise the limit.</para>
/// </remarks>
public sealed record UsbRingOptions
{
    /// <summary>
    /// Gets or sets the number of transfers in flight, 0 to 4,096. If the number is 0, which is the default, the library chooses 16 transfers, or fewer if 16
    /// transfers would take more than half of <see cref="SystemMemoryLimit"/>. <see cref="UsbRing.Transfers"/> returns the number that the ring uses.
    /// </summary>
    public int Transfers { get; init; }

    /// <summary>
    /// Gets or sets the size of one bulk or interrupt transfer in bytes. For a ring that reads, the size must be a multiple of the endpoint's packet size. If
    /// the size is 0, which is the default, a bulk transfer has 64 KiB, and an interrupt transfer has as many bytes as the endpoint can move in one service
    /// interval. On isochronous endpoints, the size must be 0.
    /// </summary>
    /// <remarks>
    /// <para>The ring delivers the data of a transfer when the transfer ends. An IN transfer ends when the transfer is full, or when a packet arrives that is
    /// shorter than <see cref="UsbEndpointDescriptor.MaxPacketSize"/>. For example, a device may send messages of 1,024 bytes in two full packets of 512 bytes,
    /// without a zero-length packet after them. Such a message does not end a transfer of 64 KiB. The ring delivers the data when 64 messages have arrived, or
    /// when the ring is stopped. Large transfers suit continuous streams. If the program needs data immediately, set this property to the size of one message,
    /// or to the size of one packet, as <see cref="ForLatency"/> does.</para>
    /// <para>On Linux, a controller without scatter-gather support allows transfers of at most 16 KiB. If the transfers would be larger, the ring uses shorter
    /// transfers and increases <see cref="Transfers"/> and <see cref="Spares"/> by the same factor. <see cref="UsbRing.TransferSize"/> returns the size that
    /// the ring uses.</para>
    /// </remarks>
    public int TransferSize { get; init; }

    /// <summary>
    /// Gets or sets the number of packets of one isochronous transfer. The ring delivers a transfer when the service intervals of all its packets have passed.
    /// If the number is 0, which is the default, a transfer has 32 packets, or fewer if the transfers would otherwise take more than half of
    /// <see cref="SystemMemoryLimit"/>. If <see cref="Transfers"/> is also 0, the library reduces the number of packets until at least four transfers fit into
    /// half of the limit. On Linux, libusb divides a transfer of more than 128 packets into several URBs. On Windows, choose a multiple of 8 packets. On macOS,
    /// choose few transfers with many packets each.
    /// </summary>
    public int PacketsPerTransfer { get; init; }

    /// <summary>
    /// Gets or sets the number of bytes requested in one isochronous packet. The default, 0, stands for the largest number of bytes that the endpoint may move
    /// in a service interval.
    /// </summary>
    public int PacketSize { get; init; }

    /// <summary>
    /// Gets or sets the number of spare buffers, 0 to 4,096. The default is 16. When a transfer ends, the ring submits a spare buffer before the program reads
    /// the data of the ended transfer. As soon as the program has consumed this data, the buffer of the ended transfer becomes a spare buffer. If a transfer
    /// ends while there is no spare buffer, <see cref="Overflow"/> specifies how the ring reacts. If the number is 0, the ring submits a buffer again only
    /// after the program has consumed the buffer.
    /// </summary>
    public int Spares { get; init; } = 16;

    /// <summary>Gets or sets the reaction of the ring to a late reader.</summary>
    public UsbRingOverflow Overflow { get; init; }

    /// <summary>Gets or sets the reaction of the ring to a stall of the endpoint.</summary>
    public UsbRingStall Stall { get; init; }

    /// <summary>
    /// Gets or sets whether an isochronous output ring sends zeros when the program has committed no data. With the zeros, the endpoint misses no service
    /// interval. Each transfer of zeros counts as an underrun.
    /// </summary>
    public bool FillUnderruns { get; init; }

    /// <summary>
    /// Gets or sets the number of consecutive failed transfers after which the ring stops. The default is 100. The controller itself tries a bulk or interrupt
    /// packet several times before the transfer fails. These retries do not count. An output ring on a bulk or interrupt endpoint ignores this limit, and stops
    /// after the first failed transfer.
    /// </summary>
    public int ErrorLimit { get; init; } = 100;

    /// <summary>
    /// Gets or sets the ID of the endpoint's bulk stream that the ring uses; 0 if the ring uses no bulk stream.
    /// <see cref="UsbDeviceHandle.AllocateStreams(int, ReadOnlySpan{byte})"/> allocates the streams.
    /// </summary>
    public int StreamId { get; init; }

    /// <summary>
    /// Gets or sets whether code that awaits buffers continues on the event thread instead of the thread pool. The code then runs inside libusb's callback, so
    /// the rules of callbacks apply to the code.
    /// </summary>
    public bool ContinueOnEventThread { get; init; }

    /// <summary>
    /// Gets or sets the memory of the buffers. For example, the memory may be device memory from <see cref="UsbDeviceHandle.AllocateBuffer"/>. With device
    /// memory, the kernel does not copy the data. If the memory is empty, which is the default, the ring allocates its own memory.
    /// </summary>
    /// <remarks>
    /// The buffers lie one after another in the memory. The length of the memory must be at least (<see cref="Transfers"/> + <see cref="Spares"/>) times the
    /// size of a transfer. If the memory is too short, the exception's message contains the necessary number of bytes. The ring pins the memory until the ring
    /// is disposed and all its transfers have ended. The memory may belong to a <see cref="UsbBuffer"/>. If the program disposes the <see cref="UsbBuffer"/>
    /// while the ring uses the memory, the native memory is freed when the ring unpins the memory. As soon as the program has disposed the
    /// <see cref="UsbBuffer"/>, the members of the ring's buffers throw <see cref="ObjectDisposedException"/>, so the program can no longer read the bytes.
    /// </remarks>
    public Memory<byte> Memory { get; init; }

    /// <summary>
    /// Gets or sets whether each buffer has a timestamp. The default is true. Without timestamps, each transfer takes 10 to 50 ns less, depending on the
    /// system's clock. The values of <see cref="UsbInputBuffer.Timestamp"/>, <see cref="UsbRingStatistics.LongestCallback"/>,
    /// <see cref="UsbRingStatistics.LongestDelay"/> and <see cref="UsbRingStatistics.MissedIntervals"/> then stay 0.
    /// </summary>
    public bool Timestamps { get; init; } = true;

    /// <summary>Gets or sets the name of the ring in the published metrics. If the name is null, the metrics use the endpoint's address.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Returns options for a stream of data with the given rate. Together, the transfers in flight hold as much data as the endpoint moves at this rate during
    /// a period of the length <paramref name="depth"/>. If the rate is at most 131 MB/s and the depth is at least 8 ms, the transfers are so large that they
    /// wake up the program no more than about 500 times a second.
    /// </summary>
    /// <remarks>
    /// <para>A bulk transfer has at most 256 KiB. If a transfer is not full, the ring delivers it only when a short packet ends it (see
    /// <see cref="TransferSize"/>). If the device sends less than the given rate, the ring therefore delivers the data late. Use <see cref="ForLatency"/> for
    /// data that arrives irregularly.</para>
    /// <para>Linux limits the memory of all USB transfers of all programs together (<see cref="SystemMemoryLimit"/>, usually 16 MiB). If
    /// <paramref name="depth"/> is null, the transfers in flight hold the data of 100 ms. If this data would take more than half of the limit, the transfers
    /// hold less data. For example, they hold the data of 21 ms at 393 MB/s, the highest isochronous rate of SuperSpeed. If <paramref name="depth"/> is not
    /// null, the method does not shorten the depth, and throws an exception if the transfers would exceed the limit. For example, the data of 256 ms at 393
    /// MB/s would take 96 MiB.</para>
    /// </remarks>
    /// <param name="endpoint">The endpoint. The size of a transfer is a multiple of the endpoint's packet size.</param>
    /// <param name="bytesPerSecond">
    /// The expected rate in bytes per second. For an isochronous endpoint, the method uses the rate in the endpoint's descriptor instead.
    /// </param>
    /// <param name="depth">
    /// The time for which the program may pause; null for 100 ms, or for less if the data of 100 ms would take more than half of the system's limit.
    /// </param>
    /// <returns>Options in which <see cref="Transfers"/>, <see cref="Spares"/> and the size of a transfer are set.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The rate or the depth is not positive, or the transfers for this rate and depth need more memory than Linux allows. The message contains the limit that
    /// would be necessary.
    /// </exception>
    public static UsbRingOptions ForRate(UsbEndpointDescriptor endpoint, double bytesPerSecond, TimeSpan? depth = null) =>
        SizesForRate(endpoint, bytesPerSecond, depth, UsbfsMemory.Limit);

    /// <summary>
    /// Returns options with which the ring delivers data as soon as the data has arrived. Each bulk transfer has the size of one packet, each interrupt
    /// transfer holds the bytes of one service interval, and each isochronous transfer holds the packets of one millisecond.
    /// </summary>
    /// <remarks>
    /// Each packet costs a transfer, a callback and a wake-up of the program. These sizes therefore suit devices that send messages, or that send up to about
    /// ten thousand packets a second. The ring delivers a message of several packets in several buffers.
    /// </remarks>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="transfers">
    /// The number of transfers in flight, 1 to 4,096. The program may be late by this number of packets, or, on isochronous endpoints, by this number of
    /// milliseconds. The default, 0, stands for 32 transfers, or for fewer if 32 transfers would take more than half of <see cref="SystemMemoryLimit"/>.
    /// </param>
    /// <returns>Options in which <see cref="Transfers"/>, <see cref="Spares"/> and the size of a transfer are set.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="transfers"/> is negative, or more than 4,096.</exception>
    public static UsbRingOptions ForLatency(UsbEndpointDescriptor endpoint, int transfers = 0) =>
        SizesForLatency(endpoint, transfers, UsbfsMemory.Limit);

    /// <summary>
    /// Gets the number of bytes that Linux allows for all USB transfers of all programs together (<c>usbfs_memory_mb</c>); null if there is no limit, or if the
    /// system is not Linux.
    /// </summary>
    public static long? SystemMemoryLimit => UsbfsMemory.Limit;

    internal const int MostTransfers = 4096;

    private const int MostIsoBytes = 1 << 20;
    private const int LatencyTransfers = 32;

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="bytesPerSecond">The rate.</param>
    /// <param name="depth">The time that the transfers in flight cover at the given rate; null for the default.</param>
    /// <param name="limit">The number of bytes that the system allows for all transfers of all programs together; null if there is no limit.</param>
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
            // The bus polls the endpoint in every interval, even if little data moves. The depth is therefore a number of intervals.
            double intervals = Math.Max(2, time / endpoint.ServiceInterval);
            int bytes = Math.Max(endpoint.BytesPerInterval, 1);
            double most = Math.Min(intervals / 4, MostIsoBytes / (double)bytes);
            if (depth is null && limit is { } allowed) // a quarter of the share, so that four transfers fit
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
    /// <param name="transfers">The number of transfers in flight; 0 for the default.</param>
    /// <param name="limit">The number of bytes that the system allows for all transfers of all programs together; null if there is no limit.</param>
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

    /// <summary>
    /// Sets the numbers of transfers and spares in the options, so that the transfers in flight hold the data that the endpoint moves during a period of the
    /// length <paramref name="depth"/>. If <paramref name="depth"/> is null and these transfers would take more than half of the system's limit, the method
    /// uses fewer transfers.
    /// </summary>
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
                    $"transfers together {allowed >> 20} MiB: choose a shorter depth, or omit the depth: the ring then uses at most half of the limit. ") +
                    UsbfsMemory.HowToRaise(transfers * cost));
            }
        }

        return options with { Transfers = transfers, Spares = transfers };
    }
}
