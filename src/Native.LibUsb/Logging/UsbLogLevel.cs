namespace Native.LibUsb;

/// <summary>Specifies the least severe messages that libusb logs.</summary>
public enum UsbLogLevel
{
    /// <summary>No messages, which is libusb's default.</summary>
    None = 0,

    /// <summary>Errors.</summary>
    Error = 1,

    /// <summary>Errors and warnings.</summary>
    Warning = 2,

    /// <summary>Also messages about libusb's actions.</summary>
    Information = 3,

    /// <summary>Also messages about every transfer. This level is too slow for streaming.</summary>
    Debug = 4,
}
