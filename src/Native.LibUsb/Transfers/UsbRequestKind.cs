namespace Native.LibUsb;

/// <summary>Specifies who has defined a control request: bits 5 and 6 of <c>bmRequestType</c>.</summary>
public enum UsbRequestKind
{
    /// <summary>The USB specification defines the request.</summary>
    Standard = 0x00,

    /// <summary>The specification of a device class defines the request.</summary>
    Class = 0x20,

    /// <summary>The manufacturer of the device defines the request.</summary>
    Vendor = 0x40,
}
