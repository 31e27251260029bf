namespace Native.LibUsb.Streaming;

/// <summary>Represents data that arrived and that the ring discarded, because the reader was late and the ring's options let it go on.</summary>
/// <param name="Transfers">Transfers.</param>
/// <param name="Packets">Isochronous packets.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct UsbRingLoss(long Transfers, long Packets, long Bytes)
{
    /// <summary>Gets whether nothing was.</summary>
    public bool IsNone => Transfers == 0;

    internal UsbRingLoss Plus(UsbRingLoss other) => new(Transfers + other.Transfers, Packets + other.Packets, Bytes + other.Bytes);
}
