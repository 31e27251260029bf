namespace Native.LibUsb.Testing;

/// <summary>Represents a fault that a <see cref="FaultPlan"/> has injected.</summary>
public readonly record struct InjectedFault
{
    /// <summary>Gets the address of the endpoint.</summary>
    public byte Endpoint { get; init; }

    /// <summary>Gets the number of the URB on its endpoint, from 0; for a fault at the submission, that of the attempt to submit one.</summary>
    public long Urb { get; init; }

    /// <summary>Gets the number of the isochronous packet; -1 where the fault concerns the URB.</summary>
    public long Packet { get; init; }

    /// <summary>Gets the kind.</summary>
    public FaultKind Kind { get; init; }

    /// <summary>Gets how the URB or the packet ended.</summary>
    public UrbStatus Status { get; init; }

    /// <summary>Gets the error number with which a submission was refused; 0 for other faults.</summary>
    public int Error { get; init; }

    /// <summary>Gets the bytes that the URB or the packet was submitted with.</summary>
    public int Length { get; init; }

    /// <summary>Gets the bytes that moved and that were reported to the host.</summary>
    public int Moved { get; init; }

    /// <summary>Gets the bytes that one side sent and the other side did not get: they are lost.</summary>
    public int Lost { get; init; }

    /// <summary>Gets the bytes that arrived a second time.</summary>
    public int Repeated { get; init; }
}
