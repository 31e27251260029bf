namespace Native.LibUsb;

/// <summary>Represents the arrival or departure of a device.</summary>
/// <param name="Event">Which of the two.</param>
/// <param name="Device">
/// The device, which the receiver disposes. A device that is not disposed is released by the garbage collector, or with the context.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
