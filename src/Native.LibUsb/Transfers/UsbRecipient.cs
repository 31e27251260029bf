namespace Native.LibUsb;

/// <summary>Specifies the recipient of a control request: bits 0 to 4 of <c>bmRequestType</c>.</summary>
public enum UsbRecipient
{
    /// <summary>The device.</summary>
    Device = 0,

    /// <summary>The interface in the low byte of <c>wIndex</c>.</summary>
    Interface = 1,

    /// <summary>The endpoint in the low byte of <c>wIndex</c>.</summary>
    Endpoint = 2,

    /// <summary>Another recipient.</summary>
    Other = 3,
}
