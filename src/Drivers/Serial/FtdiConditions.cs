namespace Drivers.Serial;

/// <summary>Specifies what the chip reports about its line in the second status byte.</summary>
[Flags]
public enum FtdiConditions : byte
{
    /// <summary>Nothing is reported.</summary>
    None = 0,

    /// <summary>Received data was lost, because the chip's buffer was full.</summary>
    Overrun = 0x02,

    /// <summary>A character arrived with the wrong parity.</summary>
    ParityError = 0x04,

    /// <summary>A character arrived without its stop bit.</summary>
    FramingError = 0x08,

    /// <summary>The other end sends a break.</summary>
    Break = 0x10,

    /// <summary>The chip can take another character for the line.</summary>
    TransmitterReady = 0x20,

    /// <summary>The chip has sent everything.</summary>
    TransmitterEmpty = 0x40,
}
