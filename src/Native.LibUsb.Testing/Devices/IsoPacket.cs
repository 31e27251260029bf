namespace Native.LibUsb.Testing;

/// <summary>One packet of an isochronous URB.</summary>
public struct IsoPacket
{
    /// <summary>Where the packet's data starts in <see cref="VirtualUrb.Buffer"/>: the sum of the lengths before it.</summary>
    public int Offset { get; internal set; }

    /// <summary>The bytes asked for (IN) or sent (OUT).</summary>
    public int Length { get; internal set; }

    /// <summary>The bytes transferred; at most <see cref="Length"/>.</summary>
    public int ActualLength { get; set; }

    /// <summary>How the packet ended.</summary>
    public UrbStatus Status { get; set; }
}
