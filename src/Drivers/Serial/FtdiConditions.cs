namespace Drivers.Serial;

/// <summary>Specifies the conditions of the line in the second status byte of the chip.</summary>
[Flags]
public enum FtdiConditions : byte
{
    /// <summary>The chip reports no condition.</summary>
    None = 0,

    /// <summary>Received data was lost because the chip's buffer was full.</summary>
    Overrun = 0x02,

    /// <summary>A character arrived with the wrong parity.</summary>
    ParityError = 0x04,

    /// <summary>A character arrived without its stop bit.</summary>
    FramingError = 0x08,

    /// <summary>The remote end sends a break.</summary>
    Break = 0x10,

    /// <summary>The chip can accept another character for transmission.</summary>
    TransmitterReady = 0x20,

    /// <summary>The chip has transmitted all characters.</summary>
    TransmitterEmpty = 0x40,
}
