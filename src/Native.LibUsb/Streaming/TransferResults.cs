namespace Native.LibUsb.Streaming;

/// <summary>Represents the results of a transfer that has ended, beyond those that the transfer itself keeps.</summary>
/// <param name="IsGood">Whether it completed, and so did each of its isochronous packets.</param>
/// <param name="EmptyPackets">The number of its isochronous packets without data.</param>
internal readonly record struct TransferResults(bool IsGood, int EmptyPackets);
