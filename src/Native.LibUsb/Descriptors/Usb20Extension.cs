namespace Native.LibUsb;

/// <summary>Represents the USB 2.0 extension capability.</summary>
/// <param name="Attributes"><c>bmAttributes</c>.</param>
public readonly record struct Usb20Extension(uint Attributes)
{
    /// <summary>Gets whether the device supports link power management.</summary>
    public bool SupportsLinkPowerManagement => (Attributes & (1 << 1)) != 0;
}
