namespace Native.LibUsb.Testing;

/// <summary>What the preload asks the bus and USB/IP has no message for. The numbers are shared with native/preload.h.</summary>
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
