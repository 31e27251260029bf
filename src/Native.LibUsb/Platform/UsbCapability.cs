namespace Native.LibUsb;

/// <summary>Specifies what libusb may or may not be able to do. The numbers are those of <c>enum libusb_capability</c>.</summary>
public enum UsbCapability
{
    /// <summary>Requesting capabilities.</summary>
    HasCapability = 0x0000,

    /// <summary>Reports of devices that come and go. Windows: from libusb 1.0.30.</summary>
    Hotplug = 0x0001,

    /// <summary>Talking to HID devices without the system's HID driver in the way.</summary>
    HidAccess = 0x0100,

    /// <summary>Detaching kernel drivers.</summary>
    DetachKernelDriver = 0x0101,
}
