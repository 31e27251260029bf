namespace Native.LibUsb.Streaming;

/// <summary>Represents what one look at a transfer that has ended finds.</summary>
/// <param name="IsGood">Whether it completed, and so did each of its isochronous packets.</param>
/// <param name="EmptyPackets">The number of its isochronous packets without data.</param>
internal readonly record struct TransferResults(bool IsGood, int EmptyPackets);
