namespace Native.LibUsb;

/// <summary>
/// Specifies an optional capability of libusb. The capabilities depend on the operating system and on the version of libusb. The values are those of
/// <c>enum libusb_capability</c>.
/// </summary>
public enum UsbCapability
{
    /// <summary>libusb can report its capabilities.</summary>
    HasCapability = 0x0000,

    /// <summary>libusb can report devices that arrive and leave. On Windows, this is possible from libusb 1.0.30 on.</summary>
    Hotplug = 0x0001,

    /// <summary>libusb can use HID devices, although the system has a driver for them.</summary>
    HidAccess = 0x0100,

    /// <summary>libusb can detach kernel drivers.</summary>
    DetachKernelDriver = 0x0101,
}
