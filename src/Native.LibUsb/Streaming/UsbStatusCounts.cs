namespace Native.LibUsb.Streaming;

/// <summary>Represents the number of transfers or packets that ended with each status.</summary>
/// <param name="Completed">The number that ended with <see cref="UsbTransferStatus.Completed"/>.</param>
/// <param name="Error">The number that ended with <see cref="UsbTransferStatus.Error"/>.</param>
/// <param name="TimedOut">The number that ended with <see cref="UsbTransferStatus.TimedOut"/>.</param>
/// <param name="Canceled">The number that ended with <see cref="UsbTransferStatus.Canceled"/>.</param>
/// <param name="Stall">The number that ended with <see cref="UsbTransferStatus.Stall"/>.</param>
/// <param name="NoDevice">The number that ended with <see cref="UsbTransferStatus.NoDevice"/>.</param>
/// <param name="Overflow">The number that ended with <see cref="UsbTransferStatus.Overflow"/>.</param>
public readonly record struct UsbStatusCounts(long Completed, long Error, long TimedOut, long Canceled, long Stall, long NoDevice, long Overflow)
{
    /// <summary>Gets the number of transfers or packets that failed. Cancelled transfers and packets do not count.</summary>
    public long Failed => Error + TimedOut + Stall + NoDevice + Overflow;
}
