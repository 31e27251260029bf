namespace Native.LibUsb;

/// <summary>Specifies whether a device arrives or leaves.</summary>
[Flags]
public enum UsbHotplugEvents
{
    /// <summary>No event.</summary>
    None = 0,

    /// <summary>
    /// The device was plugged in. On Linux, a short time may pass until the program has permission to open the device. <see cref="UsbDevice.Open(TimeSpan)"/>
    /// waits for this permission.
    /// </summary>
    Arrived = 1 << 0,

    /// <summary>The device was unplugged. Its descriptors can still be read, but opening it fails.</summary>
    Left = 1 << 1,
}
