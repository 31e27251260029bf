namespace Native.LibUsb;

/// <summary>Specifies one of the strings to which a device descriptor refers.</summary>
public enum UsbDeviceString
{
    /// <summary>The name of the manufacturer.</summary>
    Manufacturer = 0,

    /// <summary>The name of the product.</summary>
    Product = 1,

    /// <summary>The serial number.</summary>
    SerialNumber = 2,
}
