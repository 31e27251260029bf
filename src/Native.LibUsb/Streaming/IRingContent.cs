namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents the part of a ring that depends on the ring's direction. This part chooses the next transfer to submit, and takes back transfers that libusb has
/// refused.
/// </summary>
internal interface IRingContent
{
    /// <summary>
    /// Gets whether the ring stops as soon as one transfer fails. The value is true for bulk and interrupt output rings, because the device would otherwise
    /// receive a stream with missing data.
    /// </summary>
    bool StopsAtFailure { get; }

    /// <summary>Takes the transfer to submit next, or returns null if there is none. The caller holds the lock.</summary>
    RingTransfer? TakeNextLocked();

    /// <summary>Prepares a transfer that is about to be submitted. The caller does not hold the lock.</summary>
    void Prepare(RingTransfer transfer);

    /// <summary>Takes back a transfer that libusb has refused. The caller holds the lock.</summary>
    void TakeRefusedLocked(RingTransfer transfer);

    /// <summary>
    /// Prepares the content when the ring starts, and when the ring continues after it has cleared a halt. The caller holds the lock, and no transfer is in
    /// flight.
    /// </summary>
    void BeginLocked();

    /// <summary>Ends a run. The caller holds the lock, and no transfer is in flight.</summary>
    void EndLocked();

    /// <summary>Wakes waiting threads, so that they check the ring's state again. The caller does not hold the lock.</summary>
    void Wake();
}
