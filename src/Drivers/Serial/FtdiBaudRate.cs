namespace Drivers.Serial;

/// <summary>
/// Represents a divisor of the FT232BM. The chip divides its clock of 3 MHz by this number, which is a multiple of 1/8. The divisors 1 and 1.5 have special
/// codes.
/// </summary>
/// <param name="Eighths">The divisor, multiplied by 8.</param>
internal readonly record struct FtdiBaudRate(int Eighths)
{
    private const int Clock = 24_000_000; // 3 MHz, multiplied by 8
    private const int One = 8, OneAndHalf = 12, Two = 16; // 1.5 is the only divisor between 1 and 2
    private const int Most = (0x3fff * 8) + 7;
    private const double Tolerance = 0.03; // with a larger error, the receiver reads a character's last bit wrongly

    private static ReadOnlySpan<byte> FractionCodes => [0, 3, 2, 4, 1, 5, 6, 7];

    /// <summary>Gets the baud rate that results from the divisor.</summary>
    public double Rate => (double)Clock / Eighths;

    /// <summary>Gets the value that encodes the divisor in the request for a baud rate. The low 16 bits are wValue, and the high bits are wIndex.</summary>
    public int Code => Eighths switch
    {
        One => 0,
        OneAndHalf => 1,
        _ => (Eighths >> 3) | (FractionCodes[Eighths & 7] << 14),
    };

    /// <summary>Returns the divisor whose baud rate is nearest to the given rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The nearest rate of the chip differs from the given rate by more than 3 %.</exception>
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
