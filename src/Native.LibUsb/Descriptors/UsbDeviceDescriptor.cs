using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents the device descriptor, in the host's byte order.</summary>
public readonly record struct UsbDeviceDescriptor
{
    internal UsbDeviceDescriptor(in libusb_device_descriptor native)
    {
        UsbVersion = native.bcdUSB;
        DeviceClass = native.bDeviceClass;
        DeviceSubClass = native.bDeviceSubClass;
        DeviceProtocol = native.bDeviceProtocol;
        MaxPacketSize0 = native.bMaxPacketSize0;
        VendorId = native.idVendor;
        ProductId = native.idProduct;
        DeviceVersion = native.bcdDevice;
        ManufacturerIndex = native.iManufacturer;
        ProductIndex = native.iProduct;
        SerialNumberIndex = native.iSerialNumber;
        ConfigurationCount = native.bNumConfigurations;
    }

    /// <summary>Gets <c>bcdUSB</c>: 0x0200 is USB 2.0.</summary>
    public ushort UsbVersion { get; }

    /// <summary>Gets <c>bDeviceClass</c>; 0 if each interface has its own class.</summary>
    public byte DeviceClass { get; }

    /// <summary>Gets <c>bDeviceSubClass</c>.</summary>
    public byte DeviceSubClass { get; }

    /// <summary>Gets <c>bDeviceProtocol</c>.</summary>
    public byte DeviceProtocol { get; }

    /// <summary>
    /// Gets <c>bMaxPacketSize0</c>: the packet size of endpoint 0 in bytes. At SuperSpeed, the value is the base-2 logarithm of the packet size.
    /// </summary>
    public byte MaxPacketSize0 { get; }

    /// <summary>Gets <c>idVendor</c>.</summary>
    public ushort VendorId { get; }

    /// <summary>Gets <c>idProduct</c>.</summary>
    public ushort ProductId { get; }

    /// <summary>Gets <c>bcdDevice</c>: the maker's version.</summary>
    public ushort DeviceVersion { get; }

    /// <summary>Gets <c>iManufacturer</c>: number of the string; 0 is none.</summary>
    public byte ManufacturerIndex { get; }

    /// <summary>Gets <c>iProduct</c>: number of the string; 0 is none.</summary>
    public byte ProductIndex { get; }

    /// <summary>Gets <c>iSerialNumber</c>: number of the string; 0 is none.</summary>
    public byte SerialNumberIndex { get; }

    /// <summary>Gets <c>bNumConfigurations</c>.</summary>
    public byte ConfigurationCount { get; }
}
