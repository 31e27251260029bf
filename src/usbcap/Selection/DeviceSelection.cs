using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Selection;

/// <summary>Represents the conditions with which the user selects a device. A condition that is null matches every device.</summary>
internal sealed record DeviceSelection
{
    private const byte HubClass = 9;

    public ushort? VendorId { get; init; }

    public ushort? ProductId { get; init; }

    public string? SerialNumber { get; init; }

    public UsbPortPath? Port { get; init; }

    /// <summary>Gets whether all conditions are null. In that case, every device matches.</summary>
    public bool IsEmpty => VendorId is null && ProductId is null && SerialNumber is null && Port is null;

    /// <summary>Returns the only device that matches.</summary>
    /// <exception cref="FailureException">
    /// No device matches, or several devices match. If no device matches, and the serial number of a device could not be read, the message contains the reason.
    /// </exception>
    public UsbDevice Find(UsbContext context)
    {
        using UsbDeviceList devices = context.GetDevices();
        var found = new List<UsbDevice>();
        UsbException? refused = null;
        foreach (UsbDevice device in devices)
        {
            if (FitsWithoutOpening(device) && FitsSerialNumber(device, ref refused))
                found.Add(device);
        }

        if (found.Count == 1)
            return devices.Take(found[0]);
        if (found.Count > 1)
        {
            throw new FailureException(ExitCode.NoDevice,
                $"{found.Count} devices match{Criteria()}: {string.Join(", ", found.Select(Name))}; choose one with --vendor, --product, --serial or --port");
        }

        if (refused is not null)
            throw FailureException.From(refused);
        throw new FailureException(ExitCode.NoDevice, $"no device matches{Criteria()} (usbcap list shows the devices)");
    }

    /// <summary>
    /// Determines whether a device matches. If the user has given a serial number, a device whose serial number cannot be read does not match.
    /// </summary>
    public bool Fits(UsbDevice device)
    {
        UsbException? refused = null;
        return FitsWithoutOpening(device) && FitsSerialNumber(device, ref refused);
    }

    private static string Name(UsbDevice device) =>
        string.Create(CultureInfo.InvariantCulture, $"{device.VendorId:x4}:{device.ProductId:x4} at {device.PortPath}");

    private bool FitsWithoutOpening(UsbDevice device) =>
        (VendorId is null || VendorId == device.VendorId)
        && (ProductId is null || ProductId == device.ProductId)
        && (Port is null || Port == device.PortPath)
        // A hub matches only if the user has given a vendor, a product or a port.
        && (device.Descriptor.DeviceClass != HubClass || VendorId is not null || ProductId is not null || Port is not null);

    private bool FitsSerialNumber(UsbDevice device, ref UsbException? refused)
    {
        if (SerialNumber is null)
            return true;
        if (device.Descriptor.SerialNumberIndex == 0)
            return false;
        try
        {
            using UsbDeviceHandle handle = device.Open();
            return handle.GetString(device.Descriptor.SerialNumberIndex) == SerialNumber;
        }
        catch (UsbException e)
        {
            refused ??= e;
            return false;
        }
    }

    private string Criteria()
    {
        var criteria = new List<string>();
        if (VendorId is { } vendor)
            criteria.Add($"vendor {vendor:x4}");
        if (ProductId is { } product)
            criteria.Add($"product {product:x4}");
        if (SerialNumber is { } serial)
            criteria.Add($"serial number '{serial}'");
        if (Port is { } port)
            criteria.Add($"port {port}");
        return criteria.Count == 0 ? "" : " " + string.Join(", ", criteria);
    }
}
