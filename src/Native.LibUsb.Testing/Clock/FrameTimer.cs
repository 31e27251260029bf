namespace Native.LibUsb.Testing;

/// <summary>Represents a timer that calls a method once. The clock's thread calls the method in the microframe for which the timer was set. For another call,
/// the timer must be set again.</summary>
internal sealed class FrameTimer(Action fire)
{
    public const long Never = long.MaxValue;

    /// <summary>Gets or sets the microframe in which the timer expires. Only the clock writes it.</summary>
    public long Due { get; set; } = Never;

    public void Fire() => fire();
}
