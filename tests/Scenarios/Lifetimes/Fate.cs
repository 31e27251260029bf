namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies what has become of a transfer when the dust has settled.</summary>
internal enum Fate
{
    /// <summary>It is as good as before, and may be submitted.</summary>
    Usable,

    /// <summary>It is still in flight, as no thread handles events.</summary>
    InFlight,

    /// <summary>It may not be submitted, but its results can be read.</summary>
    Doomed,

    /// <summary>It is at rest, and its device is gone.</summary>
    Unplugged,

    /// <summary>Its native memory is freed.</summary>
    Disposed,
}
