namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Who handles events.</summary>
public enum Pump
{
    /// <summary>The context's event thread.</summary>
    EventThread,

    /// <summary>The test, by hand.</summary>
    ByHand,

    /// <summary>Nobody, until something that is disposed has to do it itself.</summary>
    Nobody,
}
