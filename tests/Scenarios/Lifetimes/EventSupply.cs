namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that handles the events of a context that is closed.</summary>
public enum EventSupply
{
    /// <summary>Only the threads that close objects.</summary>
    Nobody,

    /// <summary>An event thread that the program started.</summary>
    EventThread,

    /// <summary>An event thread that the context started for an awaited call.</summary>
    Automatic,

    /// <summary>A thread of the program that calls HandleEvents.</summary>
    Loop,
}
