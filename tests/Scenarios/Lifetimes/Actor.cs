namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies where the act of a case runs.</summary>
public enum Actor
{
    /// <summary>
    /// The act runs in a callback. At <see cref="Moment.InCallback"/>, the act runs in the callback of the tested transfer. At other moments, the act runs in
    /// the callback of another transfer of the same handle.
    /// </summary>
    Callback,

    /// <summary>The act runs on the test's thread that handles events, between two calls that handle events.</summary>
    PumpingThread,

    /// <summary>The act runs on a thread that never handles events.</summary>
    AnotherThread,
}
