namespace Drivers.Serial;

/// <summary>Specifies the parity bit of a character.</summary>
public enum FtdiParity
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>It makes the number of ones odd.</summary>
    Odd,

    /// <summary>It makes the number of ones even.</summary>
    Even,

    /// <summary>It is always 1.</summary>
    Mark,

    /// <summary>It is always 0.</summary>
    Space,
}
