using System.Globalization;
using Usbcap.Selection;

namespace Usbcap.Capture;

/// <summary>Sizes of the transfers of a capture, chosen so that the host may be late for a while and the kernel's limit is kept.</summary>
internal sealed record TransferPlan
{
    // While the event thread is late, transfers in flight take what arrives: for this long.
    private static readonly TimeSpan s_depth = TimeSpan.FromMilliseconds(128);

    private const int DefaultPacketsPerTransfer = 32;
    private const int DefaultBulkTransferSize = 64 * 1024;
    private const int DefaultBulkTransfers = 16;
    private const int MostTransfers = 1024;
    private const int LeastBuffer = 16 << 20;
    private const string UsbfsMemoryFile = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    public required EndpointChoice Endpoint { get; init; }

    /// <summary>Transfers that are submitted at the same time.</summary>
    public required int Transfers { get; init; }

    /// <summary>Isochronous packets in each; 0 for other endpoints.</summary>
    public required int PacketsPerTransfer { get; init; }

    /// <summary>Bytes of one isochronous packet, or of one other transfer.</summary>
    public required int UnitSize { get; init; }

    /// <summary>Bytes that may wait for the output.</summary>
    public required long BufferSize { get; init; }

    public int TransferSize => UnitSize * Math.Max(PacketsPerTransfer, 1);

    /// <summary>What the kernel allows all transfers in flight together, in MiB; null when it does not say or has no limit.</summary>
    public static int? UsbfsMemoryMegabytes
    {
        get
        {
            try
            {
                return int.TryParse(File.ReadAllText(UsbfsMemoryFile), NumberStyles.Integer, CultureInfo.InvariantCulture, out int megabytes) && megabytes > 0
                    ? megabytes
                    : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <exception cref="FailureException">An option does not go with the kind of endpoint.</exception>
    public static TransferPlan Make(CaptureRequest request, EndpointChoice endpoint)
    {
        bool isochronous = endpoint.Kind == TransferKind.Isochronous;
        if (isochronous && request.TransferSize is not null)
            throw Wrong("--transfer-size", "bulk and interrupt endpoints; use --packets-per-transfer and --packet-size", endpoint);
        if (!isochronous && request.PacketsPerTransfer is not null)
            throw Wrong("--packets-per-transfer", "isochronous endpoints; use --transfer-size", endpoint);
        if (!isochronous && request.PacketSize is not null)
            throw Wrong("--packet-size", "isochronous endpoints; use --transfer-size", endpoint);
        if (request.TransferSize is { } size && size % endpoint.MaxPacketSize != 0)
        {
            throw new FailureException(ExitCode.Usage,
                $"--transfer-size: {size} is not a multiple of the endpoint's packet size, {endpoint.MaxPacketSize}: a full packet would overflow it");
        }

        int unit = isochronous
            ? request.PacketSize ?? endpoint.BytesPerInterval
            : request.TransferSize ?? (endpoint.Kind == TransferKind.Interrupt
                ? endpoint.BytesPerInterval
                : DefaultBulkTransferSize / endpoint.MaxPacketSize * endpoint.MaxPacketSize);
        int packets = isochronous ? request.PacketsPerTransfer ?? DefaultPacketsPerTransfer : 0;
        if ((long)unit * Math.Max(packets, 1) > int.MaxValue)
            throw new FailureException(ExitCode.Usage, $"{packets} packets of {unit} bytes are too much for one transfer");
        int transfers = request.TransfersInFlight ?? DefaultTransfers(endpoint, unit * Math.Max(packets, 1), packets);
        return new TransferPlan
        {
            Endpoint = endpoint,
            Transfers = transfers,
            PacketsPerTransfer = packets,
            UnitSize = unit,
            BufferSize = request.BufferSize ?? Math.Max(LeastBuffer, (long)(endpoint.Bandwidth / 2)),
        };
    }

    private static int DefaultTransfers(EndpointChoice endpoint, int transferSize, int packets)
    {
        int wanted = endpoint.Kind == TransferKind.Bulk
            ? DefaultBulkTransfers
            : (int)Math.Ceiling(s_depth / (endpoint.ServiceInterval * Math.Max(packets, 1)));
        // Half of the limit: other programs need some too.
        long allowed = UsbfsMemoryMegabytes is { } megabytes ? ((long)megabytes << 20) / 2 / transferSize : MostTransfers;
        return (int)Math.Clamp(Math.Min(wanted, allowed), 2, MostTransfers);
    }

    private static FailureException Wrong(string option, string goesWith, EndpointChoice endpoint) =>
        new(ExitCode.Usage, $"{option} is for {goesWith}: endpoint {endpoint} is not one of them");
}
