using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>An interface of a configuration, with its alternate settings.</summary>
public readonly unsafe ref struct UsbInterface : IUsbDescriptorView<UsbInterface>
{
    private readonly UsbConfiguration _owner;
    private readonly libusb_interface* _native;

    private UsbInterface(UsbConfiguration owner, libusb_interface* native)
    {
        _owner = owner;
        _native = native;
    }

    /// <summary><c>bInterfaceNumber</c>: what <see cref="UsbDeviceHandle.ClaimInterface"/> takes. -1 when it has no setting at all.</summary>
    public int Number => _native->num_altsetting > 0 ? _native->altsetting->bInterfaceNumber : -1;

    /// <summary>Its alternate settings, in the order of the descriptors.</summary>
    public UsbDescriptorList<UsbAlternateSetting> AlternateSettings => new(_owner, _native->altsetting, _native->num_altsetting);

    static UsbInterface IUsbDescriptorView<UsbInterface>.View(UsbConfiguration owner, void* first, int index) =>
        new(owner, (libusb_interface*)first + index);
}

/// <summary>One alternate setting of an interface: a set of endpoints of which one at a time is chosen.</summary>
public readonly unsafe ref struct UsbAlternateSetting : IUsbDescriptorView<UsbAlternateSetting>
{
    private readonly UsbConfiguration _owner;
    private readonly libusb_interface_descriptor* _native;

    private UsbAlternateSetting(UsbConfiguration owner, libusb_interface_descriptor* native)
    {
        _owner = owner;
        _native = native;
    }

    /// <summary><c>bInterfaceNumber</c>.</summary>
    public byte InterfaceNumber => _native->bInterfaceNumber;

    /// <summary><c>bAlternateSetting</c>.</summary>
    public byte Number => _native->bAlternateSetting;

    /// <summary><c>bInterfaceClass</c>.</summary>
    public byte Class => _native->bInterfaceClass;

    /// <summary><c>bInterfaceSubClass</c>.</summary>
    public byte SubClass => _native->bInterfaceSubClass;

    /// <summary><c>bInterfaceProtocol</c>.</summary>
    public byte Protocol => _native->bInterfaceProtocol;

    /// <summary><c>iInterface</c>: number of the string; 0 is none.</summary>
    public byte StringIndex => _native->iInterface;

    /// <summary>Its endpoints, in the order of the descriptors; endpoint 0 is not among them.</summary>
    public UsbDescriptorList<UsbEndpoint> Endpoints => new(_owner, _native->endpoint, _native->bNumEndpoints);

    /// <summary>Descriptors of classes or makers that follow the interface's own, as they are.</summary>
    public ReadOnlySpan<byte> Extra => new(_native->extra, _native->extra_length);

    static UsbAlternateSetting IUsbDescriptorView<UsbAlternateSetting>.View(UsbConfiguration owner, void* first, int index) =>
        new(owner, (libusb_interface_descriptor*)first + index);

    /// <summary>Finds an endpoint.</summary>
    /// <param name="address">Its address, with the direction bit.</param>
    /// <param name="endpoint">The endpoint, when it exists.</param>
    /// <returns>Whether it exists in this setting.</returns>
    public bool TryFindEndpoint(byte address, out UsbEndpoint endpoint)
    {
        foreach (UsbEndpoint candidate in Endpoints)
        {
            if (candidate.Address == address)
            {
                endpoint = candidate;
                return true;
            }
        }

        endpoint = default;
        return false;
    }
}
