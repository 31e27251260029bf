namespace Native.LibUsb.Testing;

/// <summary>Represents one packet of an isochronous URB.</summary>
public struct IsoPacket
{
    /// <summary>Gets the offset of the packet's data in <see cref="VirtualUrb.Buffer"/>: the sum of the lengths of the preceding packets.</summary>
    public int Offset { get; internal set; }

    /// <summary>Gets the number of bytes requested (IN) or sent (OUT).</summary>
    public int Length { get; internal set; }

    /// <summary>Gets or sets the number of bytes transferred, at most <see cref="Length"/>.</summary>
    public int ActualLength { get; set; }

    /// <summary>Gets or sets the result of the packet.</summary>
    public UrbStatus Status { get; set; }
}
