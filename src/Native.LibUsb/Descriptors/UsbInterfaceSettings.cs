using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents an interface of a configuration, with its alternate settings.</summary>
public sealed unsafe class UsbInterfaceSettings
{
    internal UsbInterfaceSettings(libusb_interface* native, UsbSpeed speed)
    {
        // If the descriptors are malformed, libusb can report a count together with a null array.
        var settings = new UsbInterfaceDescriptor[native->altsetting is null ? 0 : Math.Max(native->num_altsetting, 0)];
        for (int i = 0; i < settings.Length; i++)
            settings[i] = new UsbInterfaceDescriptor(native->altsetting + i, speed);
        AlternateSettings = Array.AsReadOnly(settings);
    }

    /// <summary>
    /// Gets <c>bInterfaceNumber</c>, the number to pass to <see cref="UsbDeviceHandle.ClaimInterface"/>. The value is -1 if the interface has no alternate
    /// setting.
    /// </summary>
    public int Number => AlternateSettings.Count > 0 ? AlternateSettings[0].InterfaceNumber : -1;

    /// <summary>Gets the alternate settings, in the order of the descriptors.</summary>
    public IReadOnlyList<UsbInterfaceDescriptor> AlternateSettings { get; }

    /// <summary>Returns a text such as <c>interface 0 (3 alternate settings)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"interface {Number} ({DescriptorText.Count(AlternateSettings.Count, "alternate setting")})");
}
