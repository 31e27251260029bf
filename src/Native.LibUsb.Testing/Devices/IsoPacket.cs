namespace Native.LibUsb.Testing;

/// <summary>Represents one packet of an isochronous URB.</summary>
public struct IsoPacket
{
    /// <summary>Gets where the packet's data starts in <see cref="VirtualUrb.Buffer"/>: the sum of the lengths before it.</summary>
    public int Offset { get; internal set; }

    /// <summary>Gets the bytes requested (IN) or sent (OUT).</summary>
    public int Length { get; internal set; }

    /// <summary>Gets or sets the bytes transferred; at most <see cref="Length"/>.</summary>
    public int ActualLength { get; set; }

    /// <summary>Gets or sets how the packet ended.</summary>
    public UrbStatus Status { get; set; }
}
