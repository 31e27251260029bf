namespace Native.LibUsb.Testing;

/// <summary>Specifies the speed a virtual device is connected at. The values are those of the Linux kernel and of USB/IP.</summary>
public enum VirtualSpeed
{
    /// <summary>1.5 Mbit/s.</summary>
    Low = 1,

    /// <summary>12 Mbit/s; a frame of 1 ms is the unit of time.</summary>
    Full = 2,

    /// <summary>480 Mbit/s; a microframe of 125 µs is the unit of time.</summary>
    High = 3,

    /// <summary>5 Gbit/s; endpoints have a companion descriptor.</summary>
    Super = 5,

    /// <summary>10 Gbit/s; endpoints have a companion descriptor.</summary>
    SuperPlus = 6,
}
