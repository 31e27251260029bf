namespace Native.LibUsb;

/// <summary>What can happen to a device on the bus.</summary>
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

/// <summary>A device came or went.</summary>
/// <param name="Event">Which of the two.</param>
/// <param name="Device">
/// The device. The receiver disposes it; what it does not dispose is let go of by the garbage collector, or with the context.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
