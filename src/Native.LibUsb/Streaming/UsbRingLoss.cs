namespace Native.LibUsb.Streaming;

/// <summary>Data that arrived and was thrown away, because the reader was late and the ring was told to go on.</summary>
/// <param name="Transfers">Transfers.</param>
/// <param name="Packets">Isochronous packets.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct UsbRingLoss(long Transfers, long Packets, long Bytes)
{
    /// <summary>Whether nothing was.</summary>
    public bool IsNone => Transfers == 0;

    internal UsbRingLoss Plus(UsbRingLoss other) => new(Transfers + other.Transfers, Packets + other.Packets, Bytes + other.Bytes);
}
