namespace Native.LibUsb.Streaming;

/// <summary>What a ring that is read does when its reader is late and no buffer is free.</summary>
public enum UsbRingOverflow
{
    /// <summary>
    /// Isochronous rings drop, others wait: a bulk or interrupt device keeps what nobody takes, an isochronous one does not.
    /// </summary>
    Automatic,

    /// <summary>Submits less until the reader has given buffers back. Nothing is lost that the device keeps.</summary>
    Wait,

    /// <summary>Keeps submitting: what arrives is thrown away and counted, and the count comes with the next buffer.</summary>
    Drop,
}

/// <summary>What a ring does when its endpoint stalls.</summary>
public enum UsbRingStall
{
    /// <summary>
    /// It stops with <see cref="UsbError.Pipe"/> once all that had arrived is delivered. Call <see cref="UsbEndpoint.ClearHalt"/> and start it
    /// again, or give up.
    /// </summary>
    Stop,

    /// <summary>
    /// Clears the halt (<see cref="UsbEndpoint.ClearHalt"/>, on the thread pool) and goes on; of what was to be sent, what the device has not
    /// taken is sent again.
    /// </summary>
    ClearHalt,
}

/// <summary>How a ring is made: how much of it, and what it does when something goes wrong.</summary>
/// <remarks>
/// What counts is the time that transfers in flight cover while the program is late: good rings have 25 to 400 ms of it.
/// <see cref="ForRate"/> makes the sizes of a rate and such a time.
/// </remarks>
public sealed record UsbRingOptions
{
    /// <summary>Transfers that are submitted at the same time, 1 to 4,096; 16 when left out.</summary>
    public int Transfers { get; init; } = 16;

    /// <summary>
    /// Bytes of one bulk or interrupt transfer, a multiple of the endpoint's packet size; 0 is 64 KiB for bulk and one service interval for
    /// interrupt endpoints. Not for isochronous endpoints.
    /// </summary>
    public int TransferSize { get; init; }

    /// <summary>
    /// Packets of one isochronous transfer; 0 is 32. Linux makes URBs of 128 packets. On Windows take multiples of 8, and on macOS few transfers
    /// of many packets.
    /// </summary>
    public int PacketsPerTransfer { get; init; }

    /// <summary>Bytes asked for in one isochronous packet; 0 is what the endpoint may move in a service interval.</summary>
    public int PacketSize { get; init; }

    /// <summary>
    /// Further buffers. With them a transfer that ends is replaced in the queue before its data is looked at, and a reader may hold that many
    /// before the queue runs short; without, each buffer is submitted again when it was consumed. 0 to 4,096; 16 when left out.
    /// </summary>
    public int Spares { get; init; } = 16;

    /// <summary>What happens when a reader is late.</summary>
    public UsbRingOverflow Overflow { get; init; }

    /// <summary>What happens when the endpoint stalls.</summary>
    public UsbRingStall Stall { get; init; }

    /// <summary>
    /// Whether an isochronous ring that writes sends zeros when there is nothing else, so that the endpoint never misses its turn; each such
    /// transfer counts as an under-run.
    /// </summary>
    public bool FillUnderruns { get; init; }

    /// <summary>
    /// Transfers that may fail one after the other, 100 when left out, before the ring gives up. The bus has tried each of them several times already.
    /// </summary>
    public int ErrorLimit { get; init; } = 100;

    /// <summary>The bulk stream of the endpoint to use, as <see cref="UsbDeviceHandle.AllocateStreams(int, ReadOnlySpan{byte})"/> gave it; 0 is none.</summary>
    public int StreamId { get; init; }

    /// <summary>
    /// Whether code that awaits buffers goes on on the event thread, inside libusb's callback and under its rules, instead of on the thread pool.
    /// </summary>
    public bool ContinueOnEventThread { get; init; }

    /// <summary>Names the ring in the published metrics; null is the endpoint's address.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Sizes for a rate: transfers in flight that cover <paramref name="depth"/> at that rate, half as many bytes in each as make one wake-up a
    /// millisecond or more.
    /// </summary>
    /// <param name="endpoint">The endpoint, whose packets fill whole transfers.</param>
    /// <param name="bytesPerSecond">What is expected to move.</param>
    /// <param name="depth">How long the program may be late; null is 100 ms.</param>
    /// <returns>Options with <see cref="Transfers"/>, <see cref="Spares"/> and the size of a transfer set.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rate or the depth is not positive.</exception>
    public static UsbRingOptions ForRate(UsbEndpointDescriptor endpoint, double bytesPerSecond, TimeSpan? depth = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        TimeSpan time = depth ?? TimeSpan.FromMilliseconds(100);
        if (!(bytesPerSecond > 0) || double.IsInfinity(bytesPerSecond))
            throw new ArgumentOutOfRangeException(nameof(bytesPerSecond), bytesPerSecond, "A rate is more than 0 bytes a second.");
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(depth));

        double total = bytesPerSecond * time.TotalSeconds;
        if (endpoint.TransferType == UsbTransferType.Isochronous)
        {
            // The bus asks every interval, however little moves in each: the depth is a number of intervals.
            double intervals = Math.Max(2, time / endpoint.ServiceInterval);
            int packets = (int)Math.Clamp(Math.Min(intervals / 4, MostIsoBytes / (double)Math.Max(endpoint.BytesPerInterval, 1)), 1, 64);
            packets = packets >= 8 ? packets / 8 * 8 : packets;
            return Sized(new UsbRingOptions { PacketsPerTransfer = packets }, (int)Math.Clamp(Math.Ceiling(intervals / packets), 2, MostTransfers));
        }

        int packet = Math.Max(endpoint.BytesPerInterval, 1);
        double wanted = Math.Clamp(Math.Min(bytesPerSecond / 500, total / 4), packet, 256 * 1024);
        int size = (int)Math.Ceiling(wanted / packet) * packet;
        return Sized(new UsbRingOptions { TransferSize = size }, (int)Math.Clamp(Math.Ceiling(total / size), 2, MostTransfers));
    }

    /// <summary>
    /// Bytes that Linux allows all USB transfers of all programs together (<c>usbfs_memory_mb</c>); null when there is no limit, and on other systems.
    /// </summary>
    public static long? SystemMemoryLimit => UsbfsMemory.Limit;

    internal const int MostTransfers = 4096;
    internal const int MostIsoBytes = 1 << 20;

    private static UsbRingOptions Sized(UsbRingOptions options, int transfers) => options with { Transfers = transfers, Spares = transfers };
}
