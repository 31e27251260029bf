namespace Native.LibUsb.Testing;

/// <summary>Specifies the transfer type of an endpoint. The values are equal to the two low bits of <c>bmAttributes</c>.</summary>
public enum EndpointKind
{
    /// <summary>Control transfers.</summary>
    Control = 0,

    /// <summary>Isochronous transfers: one packet in each service interval, without retries.</summary>
    Isochronous = 1,

    /// <summary>Bulk transfers.</summary>
    Bulk = 2,

    /// <summary>Interrupt transfers.</summary>
    Interrupt = 3,
}
