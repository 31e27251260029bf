using Usbcap.Selection;

namespace Usbcap;

/// <summary>How the captured data is laid out in the output.</summary>
internal enum OutputFormat
{
    Raw,
    Framed,
}

/// <summary>What the command line asks for.</summary>
internal sealed record CaptureRequest
{
    public required DeviceSelection Device { get; init; }

    public required EndpointSelection Endpoint { get; init; }

    /// <summary>A file name, or "-" for standard output.</summary>
    public required string Output { get; init; }

    public OutputFormat Format { get; init; }

    /// <summary>Whether an existing file may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Whether a kernel driver may be taken off the interface for the time of the capture.</summary>
    public bool DetachKernelDriver { get; init; }

    public TimeSpan? Duration { get; init; }

    public long? Bytes { get; init; }

    public long? Packets { get; init; }

    public int? TransfersInFlight { get; init; }

    public int? PacketsPerTransfer { get; init; }

    /// <summary>Bytes asked for in one isochronous packet.</summary>
    public int? PacketSize { get; init; }

    /// <summary>Bytes of one bulk or interrupt transfer.</summary>
    public int? TransferSize { get; init; }

    /// <summary>Bytes that may wait for the disk.</summary>
    public long? BufferSize { get; init; }

    /// <summary>Real-time priority of the thread that handles USB events; null is an ordinary thread.</summary>
    public int? RealTimePriority { get; init; }

    public bool Json { get; init; }

    /// <summary>Whether a progress line is written; null: when standard error is a terminal.</summary>
    public bool? Progress { get; init; }

    /// <summary>Whether lost data and failed packets are an error.</summary>
    public bool Strict { get; init; }
}
