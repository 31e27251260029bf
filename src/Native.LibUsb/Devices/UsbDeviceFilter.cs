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

    /// <summary>Gets or sets <c>bDeviceClass</c>.</summary>
    public byte? DeviceClass { get; init; }

    /// <summary>
    /// Gets or sets the serial number. NULs that pad the device's serial number are ignored. The library reads the serial number with
    /// <see cref="UsbDevice.TryGetString"/>, but only if the device meets all other conditions. If libusb is older than 1.0.30, the library must open the
    /// device to read the serial number. A device whose serial number cannot be read does not match.
    /// </summary>
    public string? SerialNumber { get; init; }

    /// <summary>Determines whether a device meets all conditions.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
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
        && Fits(DeviceClass, device.Descriptor.DeviceClass);

    private static bool Fits<T>(T? wanted, T actual)
        where T : struct, IEquatable<T> => wanted is not { } value || value.Equals(actual);

    private static bool HasSerialNumber(UsbDevice device, string serialNumber) =>
        device.TryGetString(UsbDeviceString.SerialNumber, out string? text) == UsbError.Success && text == serialNumber;
}
