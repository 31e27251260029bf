namespace Native.LibUsb.Testing;

/// <summary>Represents a timer that calls a method once in a given microframe, on the clock's thread. The timer must be set again for each further
/// call.</summary>
internal sealed class FrameTimer(Action fire)
{
    public const long Never = long.MaxValue;

    /// <summary>Gets or sets the microframe in which the timer expires. Only the clock writes it.</summary>
    public long Due { get; set; } = Never;

    public void Fire() => fire();
}
