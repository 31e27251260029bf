namespace Native.LibUsb.Testing;

/// <summary>Calls back once in a microframe, on the clock's thread. Set again for the next time.</summary>
internal sealed class FrameTimer(Action fire)
{
    public const long Never = long.MaxValue;

    /// <summary>Gets or sets the time at which it expires; owned by the clock.</summary>
    public long Due { get; set; } = Never;

    public void Fire() => fire();
}
