namespace Native.LibUsb.Streaming;

/// <summary>
/// Specifies the state of a ring's transfer. The state changes only under the ring's lock. While the fast path runs, all transfers that it uses stay
/// <see cref="InFlight"/>.
/// </summary>
internal enum RingTransferState
{
    /// <summary>The transfer is not in use.</summary>
    Free,

    /// <summary>The transfer is in flight or about to be submitted, and has a place in the order of submission.</summary>
    InFlight,

    /// <summary>The transfer has ended, and keeps its place in the order of submission until the ring removes it.</summary>
    Done,

    /// <summary>The program holds the transfer's buffer until it returns the buffer.</summary>
    Lent,

    /// <summary>The program's handler holds the transfer's buffer until the handler returns.</summary>
    Handled,

    /// <summary>The program has committed the buffer, and the transfer waits until the queue has room.</summary>
    Waiting,
}
