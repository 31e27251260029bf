using System.Globalization;
using CsCheck;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>
/// Generates devices with random descriptors. Class-specific bytes precede and follow the interfaces and endpoints. The descriptors may have wrong lengths and
/// counts, or may be truncated.
/// </summary>
internal static class RandomDescriptors
{
    private static readonly Gen<byte[]> s_classSpecific = Gen.Byte.Array[1, 21].Select(rest => (byte[])[(byte)(rest.Length + 1), .. rest]);

    private static readonly Gen<byte[]> s_interface = Gen.Select(
        Gen.Byte[0, 3], Gen.Byte[0, 3], Gen.Frequency((7, Gen.Byte[0, 4]), (1, Gen.Byte)), Gen.Byte.Array[4],
        (number, setting, endpoints, rest) => (byte[])[9, 4, number, setting, endpoints, .. rest]);

    private static readonly Gen<byte[]> s_descriptor = Gen.Frequency(
        (2, s_classSpecific),
        (2, s_interface),
        (2, Headed([7, 5], 5)), // an endpoint
        (1, Headed([9, 5], 7)), // an endpoint of an audio device
        (1, Headed([6, 0x30], 4)), // a companion
        (1, Headed([8, 0x0b], 6))); // an association

    private static readonly Gen<byte[]> s_flawed = Gen.Frequency(
        (18, s_descriptor),
        (4, Gen.Select(s_descriptor, Gen.Byte, (one, length) => With(one, 0, length))),
        (3, Gen.Select(s_descriptor, Gen.Int[0, 255], Gen.Byte, (one, place, value) => With(one, place % one.Length, value))));

    // One in four of these byte sequences ends in the middle of a descriptor.
    private static readonly Gen<byte[]> s_run = Gen.Select(s_flawed.Array[0, 5], Gen.Frequency((3, Gen.Const(0)), (1, Gen.Const(1))),
        (all, cut) => all.SelectMany(one => one).SkipLast(cut).ToArray());

    private static readonly Gen<EndpointDescription> s_endpoint = Gen.Select(
        Gen.Byte[0, 1], Gen.Byte[0, 3], Gen.Int[0, 511], Gen.Byte, Gen.Byte[0, 15],
        Gen.Frequency((3, Gen.Const(((byte, byte)?)null)), (1, Gen.Select(Gen.Byte, Gen.Byte, ((byte, byte)? (refresh, address) => (refresh, address))))),
        Sometimes(1, 3),
        (direction, kind, size, interval, usage, audio, extra) => new EndpointDescription((byte)(direction << 7), (EndpointKind)kind, size)
        {
            Interval = interval,
            SyncAndUsage = (byte)(usage << 2),
            Audio = audio,
            Extra = extra,
        });

    private static readonly Gen<AlternateSetting> s_setting = Gen.Select(s_endpoint.Array[0, 3], Gen.Byte, Sometimes(1, 2),
        (endpoints, @class, extra) => new AlternateSetting([.. endpoints.Select((endpoint, index) => endpoint with { Address = (byte)(endpoint.Address | (index + 1)) })])
        {
            Class = @class,
            Extra = extra,
        });

    // Each device has only one configuration. If a device had several configurations and libusb could not find where the next one begins, libusb would refuse
    // the device.
    private static readonly Gen<ConfigurationDescription> s_configuration = Gen.Select(s_setting.Array[1, 2].Array[0, 3], Gen.Int[0, 499], Sometimes(1, 3),
        (interfaces, power, extra) => new ConfigurationDescription([.. interfaces.Select((settings, number) => new InterfaceDescription((byte)number, settings))])
        {
            MaxPowerMilliamps = power,
            Extra = extra,
        });

    // The length field of a descriptor has one byte, so a length of more than 255 bytes wraps around. The field then contains a small number, and libusb reads
    // the remaining bytes as other descriptors.
    private static readonly Gen<DeviceCapability> s_capability = Gen.Select(
        Gen.Byte[0, 11], Gen.Frequency((9, Gen.Byte.Array[0, 49]), (1, Gen.Byte.Array[250, 259])), (type, data) => new DeviceCapability(type, data));

    public static Gen<DeviceDescription> Device { get; } = Gen.Select(
        Gen.OneOf(VirtualSpeed.Low, VirtualSpeed.Full, VirtualSpeed.High, VirtualSpeed.Super), s_configuration, s_capability.Array[0, 4],
        (speed, configuration, capabilities) => new DeviceDescription
        {
            Speed = speed,
            UsbVersion = 0x0210,
            Configurations = [configuration],
            Capabilities = capabilities,
        });

    /// <summary>Describes a device for the report of a failure.</summary>
    public static string Describe(DeviceDescription device)
    {
        ConfigurationDescription configuration = device.Configurations[0];
        List<string> lines = [string.Create(CultureInfo.InvariantCulture, $"{device.Speed}, {configuration.MaxPowerMilliamps} mA, extra {Hex(configuration.Extra)}")];
        foreach (InterfaceDescription one in configuration.Interfaces)
        {
            foreach (AlternateSetting setting in one.AlternateSettings)
            {
                lines.Add($"interface {one.Number}: class {setting.Class:x2}, extra {Hex(setting.Extra)}");
                lines.AddRange(setting.Endpoints.Select(endpoint =>
                    $"endpoint {endpoint.Address:x2}: {endpoint.Kind}, {endpoint.MaxPacketSize} bytes, interval {endpoint.Interval}, {endpoint.SyncAndUsage:x2}, {endpoint.Audio}, extra {Hex(endpoint.Extra)}"));
            }
        }

        lines.AddRange(device.Capabilities.Select(capability => $"capability {capability.Type:x2}: {Hex(capability.Data)}"));
        return string.Join('\n', lines);
    }

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    private static Gen<byte[]> Headed(byte[] head, int rest) => Gen.Byte.Array[rest].Select(bytes => (byte[])[.. head, .. bytes]);

    private static Gen<byte[]> Sometimes(int with, int of) => Gen.Frequency((of - with, Gen.Const<byte[]>([])), (with, s_run));

    private static byte[] With(byte[] bytes, int place, byte value)
    {
        byte[] copy = [.. bytes];
        copy[place] = value;
        return copy;
    }
}
