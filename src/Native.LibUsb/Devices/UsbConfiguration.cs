using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// A configuration of a device: its interfaces, their alternate settings and endpoints. It owns libusb's copy of the descriptors, and so
/// does every view taken from it: they stay valid as long as anybody looks at them, also when the device is disposed.
/// </summary>
public sealed unsafe class UsbConfiguration
{
    // Freed by the finaliser alone: a view may be in use on another thread whenever a Dispose came.
    private readonly libusb_config_descriptor* _native;

    internal UsbConfiguration(libusb_config_descriptor* native, UsbSpeed speed)
    {
        _native = native;
        Speed = speed;
    }

    /// <summary>Frees the descriptors: plain memory, in any order with anything else.</summary>
    ~UsbConfiguration() => libusb.libusb_free_config_descriptor(_native);

    /// <summary><c>bConfigurationValue</c>: what <see cref="UsbDeviceHandle.SetConfiguration"/> takes.</summary>
    public byte Value => _native->bConfigurationValue;

    /// <summary><c>iConfiguration</c>: number of the string; 0 is none.</summary>
    public byte StringIndex => _native->iConfiguration;

    /// <summary><c>bmAttributes</c>: bit 6 self-powered, bit 5 remote wake-up.</summary>
    public byte Attributes => _native->bmAttributes;

    /// <summary>What it may draw from the bus, in milliamperes.</summary>
    public int MaxPowerMilliamps => _native->MaxPower * (Speed >= UsbSpeed.Super ? 8 : 2);

    /// <summary>The interfaces, in the order of the descriptors.</summary>
    public UsbDescriptorList<UsbInterface> Interfaces => new(this, _native->@interface, _native->bNumInterfaces);

    /// <summary>Descriptors of classes or makers that follow the configuration's own, as they are.</summary>
    public ReadOnlySpan<byte> Extra => new(_native->extra, _native->extra_length);

    /// <summary>Which interfaces belong together, in the order of the descriptors; empty for most devices that are not composite.</summary>
    public IReadOnlyList<UsbInterfaceAssociation> GetInterfaceAssociations()
    {
        var associations = new List<UsbInterfaceAssociation>();
        UsbInterfaceAssociation.Collect(Extra, associations);
        foreach (UsbInterface @interface in Interfaces)
        {
            foreach (UsbAlternateSetting setting in @interface.AlternateSettings)
            {
                UsbInterfaceAssociation.Collect(setting.Extra, associations);
                foreach (UsbEndpoint endpoint in setting.Endpoints)
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
    public bool TryFindSetting(int interfaceNumber, int alternateSetting, out UsbAlternateSetting setting)
    {
        foreach (UsbInterface @interface in Interfaces)
        {
            foreach (UsbAlternateSetting candidate in @interface.AlternateSettings)
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
