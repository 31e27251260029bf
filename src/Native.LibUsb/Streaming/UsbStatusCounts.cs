namespace Native.LibUsb.Streaming;

/// <summary>Represents numbers of transfers or packets by their status.</summary>
/// <param name="Completed"><see cref="UsbTransferStatus.Completed"/>.</param>
/// <param name="Error"><see cref="UsbTransferStatus.Error"/>.</param>
/// <param name="TimedOut"><see cref="UsbTransferStatus.TimedOut"/>.</param>
/// <param name="Canceled"><see cref="UsbTransferStatus.Canceled"/>.</param>
/// <param name="Stall"><see cref="UsbTransferStatus.Stall"/>.</param>
/// <param name="NoDevice"><see cref="UsbTransferStatus.NoDevice"/>.</param>
/// <param name="Overflow"><see cref="UsbTransferStatus.Overflow"/>.</param>
public readonly record struct UsbStatusCounts(long Completed, long Error, long TimedOut, long Canceled, long Stall, long NoDevice, long Overflow)
{
    /// <summary>Gets all that failed; what was cancelled did not.</summary>
    public long Failed => Error + TimedOut + Stall + NoDevice + Overflow;
}
