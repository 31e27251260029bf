namespace Native.LibUsb.Testing;

/// <summary>Specifies the speed at which a virtual device is connected. The values are the same as in the Linux kernel and in USB/IP.</summary>
public enum VirtualSpeed
{
    /// <summary>1.5 Mbit/s.</summary>
    Low = 1,

    /// <summary>12 Mbit/s. Intervals are counted in frames of 1 ms.</summary>
    Full = 2,

    /// <summary>480 Mbit/s. Intervals are counted in microframes of 125 µs.</summary>
    High = 3,

    /// <summary>5 Gbit/s. Endpoints have a companion descriptor.</summary>
    Super = 5,

    /// <summary>10 Gbit/s. Endpoints have a companion descriptor.</summary>
    SuperPlus = 6,
}
