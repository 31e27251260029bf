namespace Native.LibUsb.Testing;

/// <summary>Specifies the requests that the preload library sends to the bus and for which USB/IP has no message. <c>native/preload.h</c> contains
/// the same numbers.</summary>
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
