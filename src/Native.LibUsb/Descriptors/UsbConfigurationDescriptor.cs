using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents a configuration of a device, with its interfaces, alternate settings and endpoints. The object is a copy in managed memory, so it stays valid
/// after the device is disposed.
/// </summary>
/// <remarks>
/// If a descriptor has an invalid length, libusb ignores this descriptor and all descriptors after it. The lists can then have fewer elements than the device
/// announces.
/// </remarks>
public sealed unsafe class UsbConfigurationDescriptor
{
    private readonly byte[] _extra;

    private UsbConfigurationDescriptor(libusb_config_descriptor* native, UsbSpeed speed)
    {
        TotalLength = native->wTotalLength;
        Value = native->bConfigurationValue;
        StringIndex = native->iConfiguration;
        Attributes = native->bmAttributes;
        MaxPowerMilliamps = native->MaxPower * (speed >= UsbSpeed.Super ? 8 : 2);
        _extra = ExtraBytes.Copy(native->extra, native->extra_length);
        // If the descriptors are malformed, libusb can report a count together with a null array.
        var interfaces = new UsbInterfaceSettings[native->@interface is null ? 0 : native->bNumInterfaces];
        for (int i = 0; i < interfaces.Length; i++)
            interfaces[i] = new UsbInterfaceSettings(native->@interface + i, speed);
        Interfaces = Array.AsReadOnly(interfaces);
        InterfaceAssociations = FindInterfaceAssociations().AsReadOnly();
    }

    /// <summary>
    /// Gets <c>wTotalLength</c>: the length, in bytes, that the device announces for the configuration descriptor and all descriptors that belong to it.
    /// </summary>
    public ushort TotalLength { get; }

    /// <summary>Gets <c>bConfigurationValue</c>, which <see cref="UsbDeviceHandle.SetConfiguration"/> takes.</summary>
    public byte Value { get; }

    /// <summary>Gets <c>iConfiguration</c>: the index of the string; 0 is none.</summary>
    public byte StringIndex { get; }

    /// <summary>Gets <c>bmAttributes</c>: bit 6 self-powered, bit 5 remote wake-up.</summary>
    public byte Attributes { get; }

    /// <summary>Gets the maximum current that the device draws from the bus, in milliamperes.</summary>
    public int MaxPowerMilliamps { get; }

    /// <summary>Gets the interfaces, in the order of the descriptors.</summary>
    public IReadOnlyList<UsbInterfaceSettings> Interfaces { get; }

    /// <summary>
    /// Gets the interface associations, in the order of the descriptors. Each association groups the interfaces of one function of a composite device. Devices
    /// that are not composite usually have no associations.
    /// </summary>
    public IReadOnlyList<UsbInterfaceAssociation> InterfaceAssociations { get; }

    /// <summary>
    /// Gets the bytes of the class-specific and vendor-specific descriptors that follow the configuration descriptor. <see cref="UsbExtraDescriptors"/> splits
    /// the bytes into descriptors.
    /// </summary>
    public ReadOnlySpan<byte> Extra => _extra;

    /// <summary>Finds an alternate setting.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <param name="setting">The alternate setting; null if it does not exist.</param>
    /// <returns>Whether the alternate setting exists.</returns>
    public bool TryFindSetting(int interfaceNumber, int alternateSetting, [NotNullWhen(true)] out UsbInterfaceDescriptor? setting)
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

        setting = null;
        return false;
    }

    /// <summary>Returns a text such as <c>configuration 1 (2 interfaces, 500 mA)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"configuration {Value} ({DescriptorText.Count(Interfaces.Count, "interface")}, {MaxPowerMilliamps} mA)");

    /// <summary>Copies libusb's descriptors and frees them.</summary>
    internal static UsbConfigurationDescriptor Take(libusb_config_descriptor* native, UsbSpeed speed)
    {
        try
        {
            return new UsbConfigurationDescriptor(native, speed);
        }
        finally
        {
            libusb.libusb_free_config_descriptor(native);
        }
    }

    /// <summary>
    /// Finds an endpoint by its address. If several alternate settings contain an endpoint with this address, the method returns the endpoint of the first
    /// setting, as libusb does.
    /// </summary>
    internal bool TryFindFirstEndpoint(byte address, [NotNullWhen(true)] out UsbEndpointDescriptor? endpoint)
    {
        foreach (UsbInterfaceSettings @interface in Interfaces)
        {
            foreach (UsbInterfaceDescriptor setting in @interface.AlternateSettings)
            {
                if (setting.TryFindEndpoint(address, out endpoint))
                    return true;
            }
        }

        endpoint = null;
        return false;
    }

    private List<UsbInterfaceAssociation> FindInterfaceAssociations()
    {
        var associations = new List<UsbInterfaceAssociation>();
        UsbInterfaceAssociation.Collect(_extra, associations);
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
}
