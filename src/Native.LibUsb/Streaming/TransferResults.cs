namespace Native.LibUsb.Streaming;

/// <summary>Represents additional results of a transfer that has ended. <see cref="RingTransfer"/> does not store these results.</summary>
/// <param name="IsGood">Whether the transfer and each of its isochronous packets completed.</param>
/// <param name="EmptyPackets">The number of isochronous packets in the transfer that contained no data.</param>
internal readonly record struct TransferResults(bool IsGood, int EmptyPackets);
