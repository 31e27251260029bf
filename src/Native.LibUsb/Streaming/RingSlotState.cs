namespace Native.LibUsb.Streaming;

/// <summary>Where a slot is. Changed under the ring's lock.</summary>
internal enum RingSlotState
{
    /// <summary>Nobody has it.</summary>
    Free,

    /// <summary>Its transfer is in flight, and it has a place in the order.</summary>
    Armed,

    /// <summary>Its transfer has ended, and it waits in the order until it is its turn.</summary>
    Done,

    /// <summary>The program has it.</summary>
    Lent,
}
