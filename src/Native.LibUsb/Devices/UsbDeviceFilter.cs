namespace Native.LibUsb;

/// <summary>Represents the conditions that select a device. A property that is null fits every device.</summary>
public sealed record UsbDeviceFilter
{
    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort? VendorId { get; init; }

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort? ProductId { get; init; }

    /// <summary>Gets or sets the place where the device is plugged in.</summary>
    public UsbPortPath? Port { get; init; }

    /// <summary>Gets or sets <c>bDeviceClass</c>.</summary>
    public byte? DeviceClass { get; init; }

    /// <summary>
    /// Gets the serial number, which must be equal to that of the device; NULs that pad the device's are ignored. The serial numbers of devices that
    /// fit otherwise are read with <see cref="UsbDevice.TryGetString"/>: before libusb 1.0.30 the devices are opened for that. A device whose serial number
    /// cannot be read does not fit.
    /// </summary>
    public string? SerialNumber { get; init; }

    /// <summary>Returns whether a device fits.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public bool Matches(UsbDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return MatchesDescriptor(device) && (SerialNumber is null || HasSerialNumber(device, SerialNumber));
    }

    /// <summary>Returns whether a device fits, as far as its descriptors show without opening it.</summary>
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
