namespace Native.LibUsb;

/// <summary>Specifies the type of a device capability: <c>bDevCapabilityType</c>.</summary>
public enum UsbCapabilityType
{
    /// <summary>Wireless USB.</summary>
    WirelessUsb = 0x01,

    /// <summary>USB 2.0 extension; see <see cref="UsbDeviceCapability.TryGetUsb20Extension"/>.</summary>
    Usb20Extension = 0x02,

    /// <summary>SuperSpeed; see <see cref="UsbDeviceCapability.TryGetSuperSpeed"/>.</summary>
    SuperSpeed = 0x03,

    /// <summary>Container id; see <see cref="UsbDeviceCapability.TryGetContainerId"/>.</summary>
    ContainerId = 0x04,

    /// <summary>Platform; see <see cref="UsbDeviceCapability.TryGetPlatform"/>.</summary>
    Platform = 0x05,

    /// <summary>SuperSpeedPlus; see <see cref="UsbDeviceCapability.TryGetSuperSpeedPlus"/>.</summary>
    SuperSpeedPlus = 0x0a,
}
