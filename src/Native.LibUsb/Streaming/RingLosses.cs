namespace Native.LibUsb.Streaming;

/// <summary>Adds losses.</summary>
internal static class RingLosses
{
    /// <summary>Returns the sum of two losses.</summary>
    public static UsbRingLoss Plus(this UsbRingLoss loss, UsbRingLoss other) =>
        new(loss.Transfers + other.Transfers, loss.Packets + other.Packets, loss.Bytes + other.Bytes);
}
