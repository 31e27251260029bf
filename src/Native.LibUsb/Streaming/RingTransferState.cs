namespace Native.LibUsb.Streaming;

/// <summary>Specifies where a transfer of a ring is. Changed under the ring's lock; while the fast path runs, transfers stay <see cref="InFlight"/>.</summary>
internal enum RingTransferState
{
    /// <summary>No thread has it.</summary>
    Free,

    /// <summary>It is in flight, or about to be submitted, and has a place in the order.</summary>
    InFlight,

    /// <summary>It has ended, and waits in the order until it is its turn.</summary>
    Done,

    /// <summary>The program has its buffer until the program gives it back.</summary>
    Lent,

    /// <summary>The program's handler has its buffer until the handler returns.</summary>
    Handled,

    /// <summary>The program has committed it, and it waits until the queue has room.</summary>
    Waiting,
}
