namespace Native.LibUsb.Streaming;

/// <summary>Represents the part in which rings that read and rings that write differ: the choice of the next transfer to submit, and the treatment of refused ones.</summary>
internal interface IRingContent
{
    /// <summary>Gets whether one failed transfer stops the ring, because the data after it would follow a hole.</summary>
    bool StopsAtFailure { get; }

    /// <summary>Takes the transfer to submit next, under the lock; null if there is none.</summary>
    RingTransfer? TakeNextLocked();

    /// <summary>Prepares a transfer that is about to be submitted. The lock is not held.</summary>
    void Prepare(RingTransfer transfer);

    /// <summary>Takes back, under the lock, a transfer that libusb has refused.</summary>
    void TakeRefusedLocked(RingTransfer transfer);

    /// <summary>Prepares, under the lock, a run that begins, or that goes on after a halt was cleared. Nothing is in flight.</summary>
    void BeginLocked();

    /// <summary>Ends a run, under the lock: nothing is in flight any more.</summary>
    void EndLocked();

    /// <summary>Wakes threads that wait, because the ring has stopped, failed or come to rest. The lock is not held.</summary>
    void Wake();
}
