namespace Native.LibUsb;

/// <summary>Represents the conditions that select devices. A property that is null matches every device.</summary>
public sealed record UsbDeviceFilter
{
    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort? VendorId { get; init; }

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort? ProductId { get; init; }

    /// <summary>Gets or sets the bus and the ports through which the device is connected.</summary>
    public UsbPortPath? Port { get; init; }

    /// <summary>
    /// Gets or sets <c>bDeviceClass</c>. Most devices have the device class 0, and each of their interfaces has its own class: see
    /// <see cref="InterfaceClass"/>.
    /// </summary>
    public byte? DeviceClass { get; init; }

    /// <summary>
    /// Gets or sets <c>bInterfaceClass</c>, for example 0x08 for mass storage. A device matches only if one of its alternate settings has this class, the
    /// subclass of <see cref="InterfaceSubClass"/> and the protocol of <see cref="InterfaceProtocol"/>. If one of these three properties is null, the filter
    /// ignores this property.
    /// </summary>
    /// <remarks>
    /// The library checks the interfaces of all configurations (<c>libusb_get_config_descriptor</c>), because the system may report a new device before the
    /// device has an active configuration. On Linux and macOS, the library sends nothing to the device. If libusb cannot read the descriptors of a device, the
    /// device does not match.
    /// </remarks>
    public byte? InterfaceClass { get; init; }

    /// <summary>Gets or sets <c>bInterfaceSubClass</c>; see <see cref="InterfaceClass"/>.</summary>
    public byte? InterfaceSubClass { get; init; }

    /// <summary>Gets or sets <c>bInterfaceProtocol</c>; see <see cref="InterfaceClass"/>.</summary>
    public byte? InterfaceProtocol { get; init; }

    /// <summary>
    /// Gets or sets the serial number. NULs that pad the device's serial number are ignored. The library reads the serial number with
    /// <see cref="UsbDevice.TryGetString"/>, but only if the device meets all other conditions. If libusb is older than 1.0.30, the library must open the
    /// device to read the serial number. If the library cannot read the serial number of a device, the device does not match.
    /// </summary>
    public string? SerialNumber { get; init; }

    /// <summary>Determines whether a device meets all conditions.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed, and the filter has a condition for an interface or a serial number.</exception>
    public bool Matches(UsbDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return MatchesDescriptor(device) && (SerialNumber is null || HasSerialNumber(device, SerialNumber));
    }

    /// <summary>Determines whether a device meets all conditions that can be checked without opening the device.</summary>
    internal bool MatchesDescriptor(UsbDevice device) =>
        Fits(VendorId, device.VendorId)
        && Fits(ProductId, device.ProductId)
        && Fits(Port, device.PortPath)
        && Fits(DeviceClass, device.Descriptor.DeviceClass)
        && ((InterfaceClass ?? InterfaceSubClass ?? InterfaceProtocol) is null || HasInterface(device));

    private bool HasInterface(UsbDevice device)
    {
        for (int index = 0; index < device.Descriptor.ConfigurationCount; index++)
        {
            UsbConfigurationDescriptor configuration;
            try
            {
                configuration = device.GetConfigurationDescriptor(index);
            }
            catch (UsbException)
            {
                continue; // this configuration is malformed, but another one may be readable
            }

            if (configuration.Interfaces.Any(settings => settings.AlternateSettings.Any(IsWantedInterface)))
                return true;
        }

        return false;
    }

    private bool IsWantedInterface(UsbInterfaceDescriptor setting) =>
        Fits(InterfaceClass, setting.Class)
        && Fits(InterfaceSubClass, setting.SubClass)
        && Fits(InterfaceProtocol, setting.Protocol);

    private static bool Fits<T>(T? wanted, T actual)
        where T : struct, IEquatable<T> => wanted is not { } value || value.Equals(actual);

    private static bool HasSerialNumber(UsbDevice device, string serialNumber) =>
        device.TryGetString(UsbDeviceString.SerialNumber, out string? text) == UsbError.Success && text == serialNumber;
}
