using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Represents a device whose interfaces 0 and 1 both have the endpoint 0x81. The USB specification does not allow shared endpoints.</summary>
internal sealed class SharedEndpointDevice : VirtualDevice
{
    private static readonly byte[] s_configuration =
    [
        9, 2, 41, 0, 2, 1, 0, 0x80, 50,
        9, 4, 0, 0, 1, 0xff, 0, 0, 0,
        7, 5, 0x81, 2, 0, 2, 0,
        9, 4, 1, 0, 1, 0xff, 0, 0, 0,
        7, 5, 0x81, 2, 0, 2, 0,
    ];

    public SharedEndpointDevice()
        : base(new DeviceDescription { Configurations = [ConfigurationDescription.Raw(s_configuration)] }) =>
        Add(new TwoSettingsDevice.PacketEndpoint(0x81));
}
