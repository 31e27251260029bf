namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that acts.</summary>
public enum Actor
{
    /// <summary>A callback: the transfer's own at <see cref="Moment.InCallback"/>, that of another transfer of the handle at other moments.</summary>
    Callback,

    /// <summary>The thread that handles events by hand, between two calls that handle events.</summary>
    PumpingThread,

    /// <summary>A thread that never handles events.</summary>
    AnotherThread,
}
