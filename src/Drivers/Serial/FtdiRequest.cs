namespace Drivers.Serial;

/// <summary>Specifies the vendor requests of the chip.</summary>
internal enum FtdiRequest : byte
{
    Reset = 0,
    SetModemControl = 1,
    SetFlowControl = 2,
    SetBaudRate = 3,
    SetFormat = 4,
    GetModemStatus = 5,
    SetLatency = 9,
    GetLatency = 10,
}
