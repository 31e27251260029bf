namespace Drivers.Serial;

/// <summary>
/// Represents a divisor of the FT232BM: its clock of 3 MHz is divided by a number with three binary places, of which 1 and 1.5 have codes of their own.
/// </summary>
/// <param name="Eighths">The divisor, multiplied by 8.</param>
internal readonly record struct FtdiBaudRate(int Eighths)
{
    private const int Clock = 24_000_000; // of eighths
    private const int One = 8, OneAndHalf = 12, Two = 16; // between one and two there are no others
    private const int Most = (0x3fff * 8) + 7;
    private const double Tolerance = 0.03; // more than that, and a character's last bit is read wrongly

    private static ReadOnlySpan<byte> FractionCodes => [0, 3, 2, 4, 1, 5, 6, 7];

    /// <summary>Gets the rate that the divisor gives.</summary>
    public double Rate => (double)Clock / Eighths;

    /// <summary>Gets what the request carries: the low 16 bits are wValue, and the others wIndex.</summary>
    public int Code => Eighths switch
    {
        One => 0,
        OneAndHalf => 1,
        _ => (Eighths >> 3) | (FractionCodes[Eighths & 7] << 14),
    };

    /// <summary>Finds the divisor whose rate is next to a rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No rate of the chip is close enough.</exception>
    public static FtdiBaudRate Nearest(int rate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        double wanted = (double)Clock / rate;
        int eighths = wanted switch
        {
            < 10 => One,
            < 14 => OneAndHalf,
            < Two => Two,
            _ => (int)Math.Min(Math.Round(wanted), Most),
        };
        var found = new FtdiBaudRate(eighths);
        if (Math.Abs(found.Rate - rate) > rate * Tolerance)
            throw new ArgumentOutOfRangeException(nameof(rate), rate, $"The chip cannot send at {rate} Bd; its nearest rate is {found.Rate:0.#} Bd.");
        return found;
    }
}
