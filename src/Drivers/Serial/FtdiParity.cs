namespace Drivers.Serial;

/// <summary>Specifies the parity bit of a character.</summary>
public enum FtdiParity
{
    /// <summary>There is no parity bit.</summary>
    None,

    /// <summary>The parity bit makes the number of ones odd.</summary>
    Odd,

    /// <summary>The parity bit makes the number of ones even.</summary>
    Even,

    /// <summary>The parity bit is always 1.</summary>
    Mark,

    /// <summary>The parity bit is always 0.</summary>
    Space,
}
