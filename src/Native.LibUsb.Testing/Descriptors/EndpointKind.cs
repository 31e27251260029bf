namespace Native.LibUsb.Testing;

/// <summary>Specifies the transfer type of an endpoint, as in the low bits of <c>bmAttributes</c>.</summary>
public enum EndpointKind
{
    /// <summary>Control.</summary>
    Control = 0,

    /// <summary>Isochronous: one packet in each service interval, no retries.</summary>
    Isochronous = 1,

    /// <summary>Bulk.</summary>
    Bulk = 2,

    /// <summary>Interrupt.</summary>
    Interrupt = 3,
}
