namespace Native.LibUsb.Testing;

/// <summary>Represents a fault that a <see cref="FaultPlan"/> has injected.</summary>
public readonly record struct InjectedFault
{
    /// <summary>Gets the address of the endpoint.</summary>
    public byte Endpoint { get; init; }

    /// <summary>
    /// Gets the number of the URB on its endpoint, counted from 0. If the fault occurred while the URB was being submitted, the property is instead the number
    /// of the attempt to submit a URB to the endpoint, also counted from 0.
    /// </summary>
    public long Urb { get; init; }

    /// <summary>Gets the number of the isochronous packet, or -1 if the fault affected the whole URB.</summary>
    public long Packet { get; init; }

    /// <summary>Gets the kind of the fault.</summary>
    public FaultKind Kind { get; init; }

    /// <summary>Gets the status with which the URB or the packet ended.</summary>
    public UrbStatus Status { get; init; }

    /// <summary>Gets the error number with which a submission was refused, or 0 for other faults.</summary>
    public int Error { get; init; }

    /// <summary>Gets the length with which the URB or the packet was submitted, in bytes.</summary>
    public int Length { get; init; }

    /// <summary>Gets the number of bytes that were transferred and reported to the host.</summary>
    public int Moved { get; init; }

    /// <summary>Gets the number of bytes that were sent and lost before they reached the receiver.</summary>
    public int Lost { get; init; }

    /// <summary>Gets the number of bytes that arrived twice.</summary>
    public int Repeated { get; init; }
}
