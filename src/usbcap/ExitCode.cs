namespace Usbcap;

/// <summary>Specifies the exit codes of the program. The help text lists them, and scripts rely on the numbers.</summary>
internal enum ExitCode
{
    Success = 0,
    Other = 1,
    Usage = 2,
    NoDevice = 3,
    NoEndpoint = 4,
    Busy = 5,
    Permission = 6,
    Memory = 7,
    Output = 8,
    DeviceGone = 9,
    DataLost = 10,
}
