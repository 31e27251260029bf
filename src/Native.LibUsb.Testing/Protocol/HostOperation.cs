namespace Native.LibUsb.Testing;

/// <summary>Specifies the preload library's own requests to the bus. USB/IP has no messages for them. <c>native/preload.h</c> contains the same
/// numbers.</summary>
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
