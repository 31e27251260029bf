namespace Native.LibUsb.Testing;

/// <summary>Specifies the requests of the preload to the bus for which USB/IP has no message. The numbers are shared with native/preload.h.</summary>
internal enum HostOperation
{
    Claim = 1,
    Release = 2,
    SetInterface = 3,
    SetConfiguration = 4,
    ClearHalt = 5,
    Reset = 6,
    GetDriver = 7,
    DisconnectDriver = 8,
    ConnectDriver = 9,
    DisconnectClaim = 10,
    AllocateStreams = 11,
    FreeStreams = 12,
    Close = 13,
    Admit = 14,
}
