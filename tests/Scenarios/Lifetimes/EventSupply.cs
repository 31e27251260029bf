namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that handles events while a context and its objects are closed.</summary>
public enum EventSupply
{
    /// <summary>Only the threads that close objects handle events.</summary>
    Nobody,

    /// <summary>An event thread that the program has started handles events.</summary>
    EventThread,

    /// <summary>An event thread that the context has started for an awaited call handles events.</summary>
    Automatic,

    /// <summary>A thread of the program handles events by calling HandleEvents in a loop.</summary>
    Loop,
}
