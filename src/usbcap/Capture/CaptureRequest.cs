using Usbcap.Selection;

namespace Usbcap;

/// <summary>Specifies the format of the captured data in the output.</summary>
internal enum OutputFormat
{
    Raw,
    Framed,
}

/// <summary>Represents the requests of the command line.</summary>
internal sealed record CaptureRequest
{
    public required DeviceSelection Device { get; init; }

    public required EndpointSelection Endpoint { get; init; }

    /// <summary>Gets or sets a file name, or "-" for standard output.</summary>
    public required string Output { get; init; }

    public OutputFormat Format { get; init; }

    /// <summary>Gets or sets whether an existing file may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Gets or sets whether a kernel driver may be taken off the interface for the time of the capture.</summary>
    public bool DetachKernelDriver { get; init; }

    public TimeSpan? Duration { get; init; }

    public long? Bytes { get; init; }

    public long? Packets { get; init; }

    public int? TransfersInFlight { get; init; }

    public int? PacketsPerTransfer { get; init; }

    /// <summary>Gets or sets the bytes requested in one isochronous packet.</summary>
    public int? PacketSize { get; init; }

    /// <summary>Gets or sets the bytes of one bulk or interrupt transfer.</summary>
    public int? TransferSize { get; init; }

    /// <summary>Gets or sets the number of bytes that may wait for the disk.</summary>
    public long? BufferSize { get; init; }

    /// <summary>Gets or sets the real-time priority of the thread that handles USB events; null is an ordinary thread.</summary>
    public int? RealTimePriority { get; init; }

    public bool Json { get; init; }

    /// <summary>Gets or sets whether a progress line is written; null: when standard error is a terminal.</summary>
    public bool? Progress { get; init; }

    /// <summary>Gets or sets whether lost data and failed packets are an error.</summary>
    public bool Strict { get; init; }
}
