namespace Native.LibUsb;

/// <summary>Represents the arrival or departure of a device.</summary>
/// <param name="Event">Which of the two.</param>
/// <param name="Device">
/// The device. The receiver disposes it; what it does not dispose is release by the garbage collector, or with the context.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
