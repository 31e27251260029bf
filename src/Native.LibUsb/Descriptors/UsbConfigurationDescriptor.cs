using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// A configuration of a device: its interfaces, their alternate settings and endpoints. It is a copy of its own: what is taken from it stays
/// valid as long as anybody looks at it, also when the device is disposed, and there is nothing to dispose.
/// </summary>
public sealed unsafe class UsbConfigurationDescriptor
{
    private readonly ConfigurationRecord _record;

    /// <summary>Takes over libusb's descriptors: copies them, and frees libusb's.</summary>
    internal UsbConfigurationDescriptor(libusb_config_descriptor* native, UsbSpeed speed)
    {
        Speed = speed;
        try
        {
            _record = new ConfigurationRecord(native);
        }
        finally
        {
            libusb.libusb_free_config_descriptor(native);
        }
    }

    /// <summary><c>bConfigurationValue</c>: what <see cref="UsbDeviceHandle.SetConfiguration"/> takes.</summary>
    public byte Value => _record.Value;

    /// <summary><c>iConfiguration</c>: number of the string; 0 is none.</summary>
    public byte StringIndex => _record.StringIndex;

    /// <summary><c>bmAttributes</c>: bit 6 self-powered, bit 5 remote wake-up.</summary>
    public byte Attributes => _record.Attributes;

    /// <summary>What it may draw from the bus, in milliamperes.</summary>
    public int MaxPowerMilliamps => _record.MaxPower * (Speed >= UsbSpeed.Super ? 8 : 2);

    /// <summary>The interfaces, in the order of the descriptors.</summary>
    public UsbDescriptorList<UsbInterfaceSettings> Interfaces => new(this, _record.Interfaces);

    /// <summary>Descriptors of classes or makers that follow the configuration's own, as they are.</summary>
    public ReadOnlySpan<byte> Extra => _record.Extra;

    /// <summary>Which interfaces belong together, in the order of the descriptors; empty for most devices that are not composite.</summary>
    public IReadOnlyList<UsbInterfaceAssociation> GetInterfaceAssociations()
    {
        var associations = new List<UsbInterfaceAssociation>();
        UsbInterfaceAssociation.Collect(Extra, associations);
        foreach (UsbInterfaceSettings @interface in Interfaces)
        {
            foreach (UsbInterfaceDescriptor setting in @interface.AlternateSettings)
            {
                UsbInterfaceAssociation.Collect(setting.Extra, associations);
                foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
                    UsbInterfaceAssociation.Collect(endpoint.Extra, associations);
            }
        }

        return associations;
    }

    /// <summary>The speed the device runs at, which says what some fields mean.</summary>
    internal UsbSpeed Speed { get; }

    /// <summary>Finds an alternate setting.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <param name="setting">The setting, when it exists.</param>
    /// <returns>Whether it exists.</returns>
    public bool TryFindSetting(int interfaceNumber, int alternateSetting, out UsbInterfaceDescriptor setting)
    {
        foreach (UsbInterfaceSettings @interface in Interfaces)
        {
            foreach (UsbInterfaceDescriptor candidate in @interface.AlternateSettings)
            {
                if (candidate.InterfaceNumber == interfaceNumber && candidate.Number == alternateSetting)
                {
                    setting = candidate;
                    return true;
                }
            }
        }

        setting = default;
        return false;
    }
}
