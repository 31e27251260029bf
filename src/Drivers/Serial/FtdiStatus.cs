namespace Drivers.Serial;

/// <summary>Represents the two status bytes that the chip sends before the data of each packet.</summary>
/// <param name="Lines">The state of the modem lines.</param>
/// <param name="Conditions">The conditions that the chip reports, such as line errors and breaks.</param>
public readonly record struct FtdiStatus(FtdiModemLines Lines, FtdiConditions Conditions)
{
    /// <summary>The number of status bytes in a packet.</summary>
    internal const int Size = 2;

    private const byte LinesMask = 0xf0; // the low bits that the chip sets have no meaning
    private const byte ConditionsMask = 0x7e;

    /// <summary>Gets the errors among the conditions.</summary>
    public FtdiConditions Errors => Conditions & (FtdiConditions.Overrun | FtdiConditions.ParityError | FtdiConditions.FramingError);

    internal static FtdiStatus Parse(ReadOnlySpan<byte> bytes) => new((FtdiModemLines)(bytes[0] & LinesMask), (FtdiConditions)(bytes[1] & ConditionsMask));
}
