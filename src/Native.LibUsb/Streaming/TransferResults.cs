namespace Native.LibUsb.Streaming;

/// <summary>Represents additional results of an ended transfer. <see cref="RingTransfer"/> does not store these results.</summary>
/// <param name="IsGood">Whether the transfer and each of its isochronous packets completed.</param>
/// <param name="EmptyPackets">The number of the transfer's isochronous packets without data.</param>
internal readonly record struct TransferResults(bool IsGood, int EmptyPackets);
