namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that handles events.</summary>
public enum Pump
{
    /// <summary>The context's event thread.</summary>
    EventThread,

    /// <summary>The thread of the test, by hand.</summary>
    ByHand,

    /// <summary>No thread, except a thread that disposes an object and must handle the events for that.</summary>
    Nobody,
}
