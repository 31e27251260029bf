namespace Native.LibUsb.Streaming;

/// <summary>Represents what a ring submits, and what it does with the transfers that end: the part in which rings that read and rings that write differ.</summary>
internal interface IRingContent
{
    /// <summary>Gets whether one failed transfer stops the ring, because the data after it would follow a hole.</summary>
    bool StopsAtFailure { get; }

    /// <summary>Under the lock: takes the transfer to submit next; null if there is none.</summary>
    RingTransfer? TakeNextLocked();

    /// <summary>Prepares a transfer that is about to be submitted. The lock is not held.</summary>
    void Prepare(RingTransfer transfer);

    /// <summary>Under the lock: libusb has refused the transfer, which nobody has.</summary>
    void TakeRefusedLocked(RingTransfer transfer);

    /// <summary>Under the lock: a run begins, or goes on after a halt was cleared. Nothing is in flight.</summary>
    void BeginLocked();

    /// <summary>Under the lock: nothing is in flight any more.</summary>
    void EndLocked();

    /// <summary>The ring has stopped, failed or come to rest: a thread that waits has to look again. The lock is not held.</summary>
    void Wake();
}
