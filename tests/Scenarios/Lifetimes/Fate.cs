namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the state of a transfer after the effects of an act have ended.</summary>
internal enum Fate
{
    /// <summary>The transfer is unchanged and may be submitted.</summary>
    Usable,

    /// <summary>The transfer is still in flight, because no thread handles events.</summary>
    InFlight,

    /// <summary>The transfer may not be submitted, but its results can be read.</summary>
    Doomed,

    /// <summary>The transfer is not in flight, and its device is unplugged.</summary>
    Unplugged,

    /// <summary>The native memory of the transfer is freed.</summary>
    Disposed,
}
