namespace Native.LibUsb;

/// <summary>Specifies the direction of data, seen from the host.</summary>
public enum UsbDirection
{
    /// <summary>To the device.</summary>
    Out = 0x00,

    /// <summary>From the device.</summary>
    In = 0x80,
}
