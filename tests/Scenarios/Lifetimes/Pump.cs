namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the thread that handles events.</summary>
public enum Pump
{
    /// <summary>The context's event thread.</summary>
    EventThread,

    /// <summary>The test, by hand.</summary>
    ByHand,

    /// <summary>No thread, until something that is disposed has to do it itself.</summary>
    Nobody,
}
