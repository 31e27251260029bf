using Usbcap.Selection;

namespace Usbcap;

/// <summary>Specifies the format of the captured data in the output.</summary>
internal enum OutputFormat
{
    Raw,
    Framed,
}

/// <summary>Represents the options of the command line.</summary>
internal sealed record CaptureRequest
{
    public required DeviceSelection Device { get; init; }

    public required EndpointSelection Endpoint { get; init; }

    /// <summary>Gets the file name, or "-" for standard output.</summary>
    public required string Output { get; init; }

    public OutputFormat Format { get; init; }

    /// <summary>Gets whether an existing file may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Gets whether a kernel driver may be detached from the interface during the capture.</summary>
    public bool DetachKernelDriver { get; init; }

    public TimeSpan? Duration { get; init; }

    public long? Bytes { get; init; }

    public long? Packets { get; init; }

    public int? TransfersInFlight { get; init; }

    public int? PacketsPerTransfer { get; init; }

    /// <summary>Gets the number of bytes requested in each isochronous packet. Null for the default.</summary>
    public int? PacketSize { get; init; }

    /// <summary>Gets the number of bytes in each bulk or interrupt transfer. Null for the default.</summary>
    public int? TransferSize { get; init; }

    /// <summary>Gets the number of bytes that may wait to be written. Null for the default.</summary>
    public long? BufferSize { get; init; }

    /// <summary>Gets the real-time priority of the thread that handles USB events. Null for an ordinary thread.</summary>
    public int? RealTimePriority { get; init; }

    public bool Json { get; init; }

    /// <summary>Gets whether a progress line is written. If null, the line is written if standard error is a terminal.</summary>
    public bool? Progress { get; init; }

    /// <summary>Gets whether lost data and failed packets are an error.</summary>
    public bool Strict { get; init; }
}
