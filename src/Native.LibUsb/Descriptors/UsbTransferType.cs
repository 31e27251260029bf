namespace Native.LibUsb;

/// <summary>Specifies the transfer type. The first four are also the kinds of endpoints.</summary>
public enum UsbTransferType
{
    /// <summary>Set-up packet and optional data on a control endpoint.</summary>
    Control = 0,

    /// <summary>Reserved bandwidth, no retry: one packet a service interval.</summary>
    Isochronous = 1,

    /// <summary>Uses the remaining bandwidth, with retries.</summary>
    Bulk = 2,

    /// <summary>Bounded latency, with retry.</summary>
    Interrupt = 3,

    /// <summary>Bulk on one of several streams of a SuperSpeed endpoint.</summary>
    BulkStream = 4,
}
