namespace Native.LibUsb.Streaming;

/// <summary>Specifies what a ring does.</summary>
internal enum RingStage
{
    /// <summary>Nothing is in flight, no handler runs, and nothing will be submitted.</summary>
    Stopped,

    /// <summary>The ring is being started: its transfers are being taken, and none is submitted yet.</summary>
    Starting,

    /// <summary>The queue is kept full.</summary>
    Running,

    /// <summary>Nothing is submitted any more, and the transfers in flight come back.</summary>
    Draining,

    /// <summary>Nothing is in flight. A halt is being cleared, and then the ring runs again.</summary>
    Recovering,

    /// <summary>Nothing is in flight, and no handler runs. The transfers are being given back.</summary>
    Settling,
}
