using Native.LibUsb.Interop;

namespace Native.LibUsb;

// A configuration's descriptors in memory of our own. libusb's copy would have to be freed while somebody may be looking at it: a view, and
// a span of extra bytes even more so, keeps no finaliser away.

/// <summary>The configuration's own descriptor.</summary>
internal sealed unsafe class ConfigurationRecord
{
    public ConfigurationRecord(libusb_config_descriptor* native)
    {
        Value = native->bConfigurationValue;
        StringIndex = native->iConfiguration;
        Attributes = native->bmAttributes;
        MaxPower = native->MaxPower;
        Extra = ExtraBytes.Copy(native->extra, native->extra_length);
        Interfaces = new InterfaceRecord[native->bNumInterfaces];
        for (int i = 0; i < Interfaces.Length; i++)
            Interfaces[i] = new InterfaceRecord(native->@interface + i);
    }

    public byte Value { get; }

    public byte StringIndex { get; }

    public byte Attributes { get; }

    public byte MaxPower { get; }

    public byte[] Extra { get; }

    public InterfaceRecord[] Interfaces { get; }
}

/// <summary>An interface: nothing but its settings.</summary>
internal sealed unsafe class InterfaceRecord
{
    public InterfaceRecord(libusb_interface* native)
    {
        Settings = new SettingRecord[native->num_altsetting];
        for (int i = 0; i < Settings.Length; i++)
            Settings[i] = new SettingRecord(native->altsetting + i);
    }

    public SettingRecord[] Settings { get; }
}

/// <summary>An alternate setting.</summary>
internal sealed unsafe class SettingRecord
{
    public SettingRecord(libusb_interface_descriptor* native)
    {
        InterfaceNumber = native->bInterfaceNumber;
        Number = native->bAlternateSetting;
        Class = native->bInterfaceClass;
        SubClass = native->bInterfaceSubClass;
        Protocol = native->bInterfaceProtocol;
        StringIndex = native->iInterface;
        Extra = ExtraBytes.Copy(native->extra, native->extra_length);
        Endpoints = new EndpointRecord[native->bNumEndpoints];
        for (int i = 0; i < Endpoints.Length; i++)
            Endpoints[i] = new EndpointRecord(native->endpoint + i);
    }

    public byte InterfaceNumber { get; }

    public byte Number { get; }

    public byte Class { get; }

    public byte SubClass { get; }

    public byte Protocol { get; }

    public byte StringIndex { get; }

    public byte[] Extra { get; }

    public EndpointRecord[] Endpoints { get; }
}

/// <summary>An endpoint.</summary>
internal sealed unsafe class EndpointRecord(libusb_endpoint_descriptor* native)
{
    public byte Address { get; } = native->bEndpointAddress;

    public byte Attributes { get; } = native->bmAttributes;

    public ushort MaxPacketSize { get; } = native->wMaxPacketSize;

    public byte Interval { get; } = native->bInterval;

    public byte Refresh { get; } = native->bRefresh;

    public byte SyncAddress { get; } = native->bSynchAddress;

    public byte[] Extra { get; } = ExtraBytes.Copy(native->extra, native->extra_length);
}

/// <summary>Descriptors of classes or makers, which most have none of.</summary>
internal static unsafe class ExtraBytes
{
    public static byte[] Copy(byte* bytes, int length) => length > 0 ? new ReadOnlySpan<byte>(bytes, length).ToArray() : [];
}
