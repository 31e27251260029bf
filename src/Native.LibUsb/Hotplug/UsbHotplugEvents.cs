namespace Native.LibUsb;

/// <summary>Specifies what can happen to a device on the bus.</summary>
[Flags]
public enum UsbHotplugEvents
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It was plugged in, and can be opened; on Linux permissions may come a moment later: see <see cref="UsbDevice.Open(TimeSpan)"/>.</summary>
    Arrived = 1 << 0,

    /// <summary>It was unplugged. Its descriptors can still be read; opening it fails.</summary>
    Left = 1 << 1,
}
