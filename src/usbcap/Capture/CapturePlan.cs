using Native.LibUsb.Streaming;
using Usbcap.Selection;

namespace Usbcap.Capture;

/// <summary>
/// Represents the sizes of the transfers and buffers of a capture. With these sizes, no data is lost if the host pauses for a short time, and the capture does
/// not exceed the kernel's memory limit.
/// </summary>
internal sealed record CapturePlan
{
    // The time for which the transfers in flight can receive data while the event thread does not run.
    private static readonly TimeSpan s_depth = TimeSpan.FromMilliseconds(128);

    private const int MostFailuresInARow = 100;
    private const int DefaultPacketsPerTransfer = 32;
    private const int DefaultBulkTransferSize = 64 * 1024;
    private const int DefaultBulkTransfers = 16;
    private const int MostTransfers = 1024;
    private const int FewestSpares = 4;
    private const int MostSpares = 4096; // the maximum that a ring accepts
    private const int LeastBuffer = 16 << 20;

    public required EndpointChoice Endpoint { get; init; }

    /// <summary>Gets the options of the ring.</summary>
    public required UsbRingOptions Ring { get; init; }

    /// <summary>Gets the size of one isochronous packet or of one other transfer, in bytes.</summary>
    public int UnitSize => IsIsochronous ? Ring.PacketSize : Ring.TransferSize;

    public bool IsIsochronous => Endpoint.Kind == TransferKind.Isochronous;

    /// <exception cref="FailureException">An option does not apply to the kind of the endpoint.</exception>
    public static CapturePlan Make(CaptureRequest request, EndpointChoice endpoint)
    {
        bool isochronous = endpoint.Kind == TransferKind.Isochronous;
        if (isochronous && request.TransferSize is not null)
            throw Wrong("--transfer-size", "bulk and interrupt endpoints; use --packets-per-transfer and --packet-size instead", endpoint);
        if (!isochronous && request.PacketsPerTransfer is not null)
            throw Wrong("--packets-per-transfer", "isochronous endpoints; use --transfer-size instead", endpoint);
        if (!isochronous && request.PacketSize is not null)
            throw Wrong("--packet-size", "isochronous endpoints; use --transfer-size instead", endpoint);

        int unit = isochronous
            ? request.PacketSize ?? endpoint.BytesPerInterval
            : request.TransferSize ?? (endpoint.Kind == TransferKind.Interrupt
                ? endpoint.BytesPerInterval
                : DefaultBulkTransferSize / endpoint.MaxPacketSize * endpoint.MaxPacketSize);
        int packets = isochronous ? request.PacketsPerTransfer ?? DefaultPacketsPerTransfer : 0;
        long transferSize = (long)unit * Math.Max(packets, 1);
        long buffer = request.BufferSize ?? Math.Max(LeastBuffer, (long)(endpoint.Bandwidth / 2));
        return new CapturePlan
        {
            Endpoint = endpoint,
            Ring = new UsbRingOptions
            {
                Transfers = request.TransfersInFlight ?? DefaultTransfers(endpoint, transferSize, packets),
                TransferSize = isochronous ? 0 : unit,
                PacketsPerTransfer = packets,
                PacketSize = isochronous ? unit : 0,
                // Data that waits to be written stays in transfers that are not in flight.
                Spares = (int)Math.Clamp((buffer + transferSize - 1) / transferSize, FewestSpares, MostSpares),
                ErrorLimit = isochronous ? int.MaxValue : MostFailuresInARow,
            },
        };
    }

    private static int DefaultTransfers(EndpointChoice endpoint, long transferSize, int packets)
    {
        int wanted = endpoint.Kind == TransferKind.Bulk
            ? DefaultBulkTransfers
            : (int)Math.Ceiling(s_depth / (endpoint.ServiceInterval * Math.Max(packets, 1)));
        // The plan uses at most half of the limit, because other programs also need memory.
        long allowed = UsbRingOptions.SystemMemoryLimit is { } limit ? limit / 2 / transferSize : MostTransfers;
        return (int)Math.Clamp(Math.Min(wanted, allowed), 2, MostTransfers);
    }

    private static FailureException Wrong(string option, string goesWith, EndpointChoice endpoint) =>
        new(ExitCode.Usage, $"{option} cannot be used with endpoint {endpoint}: the option is for {goesWith}");
}
