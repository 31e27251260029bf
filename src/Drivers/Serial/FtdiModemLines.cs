namespace Drivers.Serial;

/// <summary>Specifies the modem lines that the other end of a serial line drives.</summary>
[Flags]
public enum FtdiModemLines : byte
{
    /// <summary>No line is asserted.</summary>
    None = 0,

    /// <summary>CTS.</summary>
    ClearToSend = 0x10,

    /// <summary>DSR.</summary>
    DataSetReady = 0x20,

    /// <summary>RI.</summary>
    Ring = 0x40,

    /// <summary>DCD.</summary>
    CarrierDetect = 0x80,
}
