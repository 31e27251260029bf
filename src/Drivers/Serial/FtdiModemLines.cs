namespace Drivers.Serial;

/// <summary>Specifies the modem lines that the remote end of a serial line drives.</summary>
[Flags]
public enum FtdiModemLines : byte
{
    /// <summary>No line is asserted.</summary>
    None = 0,

    /// <summary>CTS is asserted.</summary>
    ClearToSend = 0x10,

    /// <summary>DSR is asserted.</summary>
    DataSetReady = 0x20,

    /// <summary>RI is asserted.</summary>
    Ring = 0x40,

    /// <summary>DCD is asserted.</summary>
    CarrierDetect = 0x80,
}
