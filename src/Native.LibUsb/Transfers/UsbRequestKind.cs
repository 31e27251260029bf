namespace Native.LibUsb;

/// <summary>Specifies the kind of a control request, which is the body that defines it: bits 5 and 6 of <c>bmRequestType</c>.</summary>
public enum UsbRequestKind
{
    /// <summary>The USB specification.</summary>
    Standard = 0x00,

    /// <summary>The device class.</summary>
    Class = 0x20,

    /// <summary>The maker of the device.</summary>
    Vendor = 0x40,
}
