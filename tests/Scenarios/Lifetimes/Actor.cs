namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that acts.</summary>
public enum Actor
{
    /// <summary>A callback: the transfer's own where the moment is in it, one of another transfer of the handle at other moments.</summary>
    Callback,

    /// <summary>The thread that handles events by hand, while it does not.</summary>
    PumpingThread,

    /// <summary>A thread that has nothing to do with events.</summary>
    AnotherThread,
}
