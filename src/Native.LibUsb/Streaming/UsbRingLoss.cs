namespace Native.LibUsb.Streaming;

/// <summary>Represents the amount of data that a ring received but discarded, because the reader was late (see <see cref="UsbRingOverflow.Drop"/>).</summary>
/// <param name="Transfers">The number of transfers.</param>
/// <param name="Packets">The number of isochronous packets.</param>
/// <param name="Bytes">The number of bytes.</param>
public readonly record struct UsbRingLoss(long Transfers, long Packets, long Bytes)
{
    /// <summary>Gets whether nothing was discarded.</summary>
    public bool IsNone => Transfers == 0;
}
