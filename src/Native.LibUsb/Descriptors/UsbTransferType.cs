namespace Native.LibUsb;

/// <summary>Specifies the type of a transfer. The first four values are also the types of endpoints.</summary>
public enum UsbTransferType
{
    /// <summary>A setup packet and optional data on a control endpoint.</summary>
    Control = 0,

    /// <summary>Packets with reserved bandwidth, one in each service interval, without retries.</summary>
    Isochronous = 1,

    /// <summary>Packets in the remaining bandwidth, with retries.</summary>
    Bulk = 2,

    /// <summary>Packets with bounded latency, with retries.</summary>
    Interrupt = 3,

    /// <summary>A bulk transfer on one of several streams of a SuperSpeed endpoint.</summary>
    BulkStream = 4,
}
