namespace Native.LibUsb;

/// <summary>Represents the arrival or departure of a device.</summary>
/// <param name="Event">The event: arrived or left.</param>
/// <param name="Device">
/// The device, which the receiver should dispose. Otherwise, the garbage collector releases the device later, or the context releases the device when the
/// context closes.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
