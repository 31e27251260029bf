namespace Native.LibUsb;

/// <summary>Represents the arrival or departure of a device.</summary>
/// <param name="Event">The event: arrived or left.</param>
/// <param name="Device">
/// The device, which the receiver should dispose. If the receiver does not dispose the device, the context releases the device when the context closes, unless
/// the garbage collector has released it earlier.
/// </param>
public readonly record struct UsbHotplugNotification(UsbHotplugEvents Event, UsbDevice Device);
