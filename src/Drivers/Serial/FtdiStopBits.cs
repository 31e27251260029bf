namespace Drivers.Serial;

/// <summary>Specifies the length of the pause after a character.</summary>
public enum FtdiStopBits
{
    /// <summary>The time of one bit.</summary>
    One,

    /// <summary>The time of one and a half bits.</summary>
    OneAndHalf,

    /// <summary>The time of two bits.</summary>
    Two,
}
