namespace Native.LibUsb.Streaming;

/// <summary>Specifies the stage of a ring's run.</summary>
internal enum RingStage
{
    /// <summary>Nothing is in flight, no handler runs, and nothing will be submitted.</summary>
    Stopped,

    /// <summary>The ring is being started. It takes ownership of its transfers, and has submitted none of them.</summary>
    Starting,

    /// <summary>The ring runs, and keeps its queue full.</summary>
    Running,

    /// <summary>The ring no longer submits transfers, and its transfers in flight are ending.</summary>
    Draining,

    /// <summary>Nothing is in flight. The ring clears a halt, and then runs again.</summary>
    Recovering,

    /// <summary>Nothing is in flight, and no handler runs. The ring gives up the ownership of its transfers.</summary>
    Settling,
}
