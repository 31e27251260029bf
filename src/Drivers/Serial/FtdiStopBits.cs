namespace Drivers.Serial;

/// <summary>Specifies the duration of the stop bits after a character.</summary>
public enum FtdiStopBits
{
    /// <summary>The duration of one bit.</summary>
    One,

    /// <summary>The duration of one and a half bits.</summary>
    OneAndHalf,

    /// <summary>The duration of two bits.</summary>
    Two,
}
