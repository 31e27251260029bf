namespace Native.LibUsb;

/// <summary>Specifies the speed of a device's connection. The values are those of <c>enum libusb_speed</c>.</summary>
public enum UsbSpeed
{
    /// <summary>The operating system does not report the speed.</summary>
    Unknown = 0,

    /// <summary>1.5 Mbit/s.</summary>
    Low = 1,

    /// <summary>12 Mbit/s, frames of 1 ms.</summary>
    Full = 2,

    /// <summary>480 Mbit/s, microframes of 125 µs.</summary>
    High = 3,

    /// <summary>5 Gbit/s.</summary>
    Super = 4,

    /// <summary>10 Gbit/s.</summary>
    SuperPlus = 5,

    /// <summary>20 Gbit/s.</summary>
    SuperPlusX2 = 6,
}
