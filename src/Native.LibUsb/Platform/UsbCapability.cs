namespace Native.LibUsb;

/// <summary>What libusb may or may not be able to do. The numbers are those of <c>enum libusb_capability</c>.</summary>
public enum UsbCapability
{
    /// <summary>Asking for capabilities.</summary>
    HasCapability = 0x0000,

    /// <summary>Telling when devices come and go. Windows: from libusb 1.0.30.</summary>
    Hotplug = 0x0001,

    /// <summary>Talking to HID devices without the system's HID driver in the way.</summary>
    HidAccess = 0x0100,

    /// <summary>Detaching kernel drivers.</summary>
    DetachKernelDriver = 0x0101,
}
