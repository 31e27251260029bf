namespace Native.LibUsb;

/// <summary>An interface of a configuration, with its alternate settings.</summary>
public readonly ref struct UsbInterfaceSettings : IUsbDescriptorView<UsbInterfaceSettings>
{
    private readonly UsbConfigurationDescriptor _owner;
    private readonly InterfaceRecord _record;

    private UsbInterfaceSettings(UsbConfigurationDescriptor owner, InterfaceRecord record)
    {
        _owner = owner;
        _record = record;
    }

    /// <summary><c>bInterfaceNumber</c>: what <see cref="UsbDeviceHandle.ClaimInterface"/> takes. -1 when it has no setting at all.</summary>
    public int Number => _record.Settings is [SettingRecord first, ..] ? first.InterfaceNumber : -1;

    /// <summary>Its alternate settings, in the order of the descriptors.</summary>
    public UsbDescriptorList<UsbInterfaceDescriptor> AlternateSettings => new(_owner, _record.Settings);

    static UsbInterfaceSettings IUsbDescriptorView<UsbInterfaceSettings>.View(UsbConfigurationDescriptor owner, object record) => new(owner, (InterfaceRecord)record);
}

/// <summary>One alternate setting of an interface: a set of endpoints of which one at a time is chosen.</summary>
public readonly ref struct UsbInterfaceDescriptor : IUsbDescriptorView<UsbInterfaceDescriptor>
{
    private readonly UsbConfigurationDescriptor _owner;
    private readonly SettingRecord _record;

    private UsbInterfaceDescriptor(UsbConfigurationDescriptor owner, SettingRecord record)
    {
        _owner = owner;
        _record = record;
    }

    /// <summary><c>bInterfaceNumber</c>.</summary>
    public byte InterfaceNumber => _record.InterfaceNumber;

    /// <summary><c>bAlternateSetting</c>.</summary>
    public byte Number => _record.Number;

    /// <summary><c>bInterfaceClass</c>.</summary>
    public byte Class => _record.Class;

    /// <summary><c>bInterfaceSubClass</c>.</summary>
    public byte SubClass => _record.SubClass;

    /// <summary><c>bInterfaceProtocol</c>.</summary>
    public byte Protocol => _record.Protocol;

    /// <summary><c>iInterface</c>: number of the string; 0 is none.</summary>
    public byte StringIndex => _record.StringIndex;

    /// <summary>Its endpoints, in the order of the descriptors; endpoint 0 is not among them.</summary>
    public UsbDescriptorList<UsbEndpointDescriptor> Endpoints => new(_owner, _record.Endpoints);

    /// <summary>Descriptors of classes or makers that follow the interface's own, as they are.</summary>
    public ReadOnlySpan<byte> Extra => _record.Extra;

    static UsbInterfaceDescriptor IUsbDescriptorView<UsbInterfaceDescriptor>.View(UsbConfigurationDescriptor owner, object record) => new(owner, (SettingRecord)record);

    /// <summary>Finds an endpoint.</summary>
    /// <param name="address">Its address, with the direction bit.</param>
    /// <param name="endpoint">The endpoint, when it exists.</param>
    /// <returns>Whether it exists in this setting.</returns>
    public bool TryFindEndpoint(byte address, out UsbEndpointDescriptor endpoint)
    {
        foreach (UsbEndpointDescriptor candidate in Endpoints)
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
