using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Selection;

/// <summary>Represents the conditions that the device of the user meets. A condition that is null fits every device.</summary>
internal sealed record DeviceSelection
{
    private const byte HubClass = 9;

    public ushort? VendorId { get; init; }

    public ushort? ProductId { get; init; }

    public string? SerialNumber { get; init; }

    public UsbPortPath? Port { get; init; }

    /// <summary>Gets whether every device fits.</summary>
    public bool IsEmpty => VendorId is null && ProductId is null && SerialNumber is null && Port is null;

    /// <summary>Gets the one device that fits.</summary>
    /// <exception cref="FailureException">None fits, or several do, or the only ones that may fit cannot be opened to see.</exception>
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
                $"{found.Count} devices fit{Criteria()}: {string.Join(", ", found.Select(Name))}; choose one with --vendor, --product, --serial or --port");
        }

        if (refused is not null)
            throw FailureException.From(refused);
        throw new FailureException(ExitCode.NoDevice, $"no device fits{Criteria()} (usbcap list shows what is there)");
    }

    /// <summary>Finds all devices that fit, for a list. One whose serial number cannot be read does not fit a serial number.</summary>
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
        // a hub is never meant unless its numbers are given
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
