namespace Native.LibUsb;

/// <summary>Specifies the least severe messages that libusb logs.</summary>
public enum UsbLogLevel
{
    /// <summary>Nothing: libusb's default.</summary>
    None = 0,

    /// <summary>Errors.</summary>
    Error = 1,

    /// <summary>Errors and warnings.</summary>
    Warning = 2,

    /// <summary>Also what it does.</summary>
    Information = 3,

    /// <summary>Also every transfer: not for streaming.</summary>
    Debug = 4,
}
