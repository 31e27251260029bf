namespace Native.LibUsb;

/// <summary>Which device. What is left null fits every device.</summary>
public sealed record UsbDeviceFilter
{
    /// <summary><c>idVendor</c>.</summary>
    public ushort? VendorId { get; init; }

    /// <summary><c>idProduct</c>.</summary>
    public ushort? ProductId { get; init; }

    /// <summary>Where it is plugged in.</summary>
    public UsbPortPath? Port { get; init; }

    /// <summary><c>bDeviceClass</c>.</summary>
    public byte? DeviceClass { get; init; }

    /// <summary>
    /// Gets the serial number, which must be equal to that of the device; NULs that pad the device's are ignored. Devices that fit otherwise are
    /// asked for theirs with <see cref="UsbDevice.TryGetString"/>: before libusb 1.0.30 they are opened for that. A device whose serial number
    /// cannot be read does not fit.
    /// </summary>
    public string? SerialNumber { get; init; }

    /// <summary>Whether a device fits.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public bool Matches(UsbDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return MatchesDescriptor(device) && (SerialNumber is null || HasSerialNumber(device, SerialNumber));
    }

    /// <summary>Whether a device fits, as far as can be told without opening it.</summary>
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
