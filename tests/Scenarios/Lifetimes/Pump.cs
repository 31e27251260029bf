namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that handles events.</summary>
public enum Pump
{
    /// <summary>The context's event thread handles events.</summary>
    EventThread,

    /// <summary>The thread of the test handles events with explicit calls.</summary>
    ByHand,

    /// <summary>No thread handles events, except a thread that disposes an object and must handle events for that.</summary>
    Nobody,
}
