using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents a configuration of a device: its interfaces, their alternate settings and endpoints. It is a copy in managed memory: it stays valid
/// after the device is disposed, and there is nothing to dispose.
/// </summary>
/// <remarks>
/// libusb stops reading at a descriptor that does not fit. The lists then contain what stands before it, so they can have fewer elements than the
/// device announces.
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
        // libusb can give a count with a null array when the descriptors are malformed.
        var interfaces = new UsbInterfaceSettings[native->@interface is null ? 0 : native->bNumInterfaces];
        for (int i = 0; i < interfaces.Length; i++)
            interfaces[i] = new UsbInterfaceSettings(native->@interface + i, speed);
        Interfaces = Array.AsReadOnly(interfaces);
        InterfaceAssociations = FindInterfaceAssociations().AsReadOnly();
    }

    /// <summary>
    /// Gets <c>wTotalLength</c>: the bytes of the configuration's descriptor and of all descriptors that belong to it, as the device announces them.
    /// </summary>
    public ushort TotalLength { get; }

    /// <summary>Gets <c>bConfigurationValue</c>, which <see cref="UsbDeviceHandle.SetConfiguration"/> takes.</summary>
    public byte Value { get; }

    /// <summary>Gets <c>iConfiguration</c>: the index of the string; 0 is none.</summary>
    public byte StringIndex { get; }

    /// <summary>Gets <c>bmAttributes</c>: bit 6 self-powered, bit 5 remote wake-up.</summary>
    public byte Attributes { get; }

    /// <summary>Gets the most current that the device draws from the bus, in milliamperes.</summary>
    public int MaxPowerMilliamps { get; }

    /// <summary>Gets the interfaces, in the order of the descriptors.</summary>
    public IReadOnlyList<UsbInterfaceSettings> Interfaces { get; }

    /// <summary>
    /// Gets the interface associations, which group the interfaces of one function, in the order of the descriptors. Most devices that are not
    /// composite have none.
    /// </summary>
    public IReadOnlyList<UsbInterfaceAssociation> InterfaceAssociations { get; }

    /// <summary>
    /// Gets the class-specific and vendor-specific descriptors that follow the configuration's own, unchanged; <see cref="UsbExtraDescriptors"/>
    /// separates them.
    /// </summary>
    public ReadOnlySpan<byte> Extra => _extra;

    /// <summary>Finds an alternate setting.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <param name="setting">The setting; null when it does not exist.</param>
    /// <returns>Whether it exists.</returns>
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

    /// <summary>Finds the first endpoint with an address in the order of the descriptors, as libusb does: in the first alternate setting that has it.</summary>
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
