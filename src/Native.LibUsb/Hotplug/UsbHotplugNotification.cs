namespace Native.LibUsb;

/// <summary>Represents the arrival or departure of a device.</summary>
/// <param name="Event">The event: arrived or left.</param>
/// <param name="Device">
/// The device, which the receiver disposes. The garbage collector or the closing context releases a device that is not disposed.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
