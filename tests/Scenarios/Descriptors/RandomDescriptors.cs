using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Streaming;

namespace Native.LibUsb.Tests.Facade;

/// <summary>Makes devices whose descriptors are random: interfaces and endpoints among class-specific bytes, with wrong lengths, counts and ends.</summary>
internal sealed class RandomDescriptors(RandomSteps random)
{
    private static readonly VirtualSpeed[] s_speeds = [VirtualSpeed.Low, VirtualSpeed.Full, VirtualSpeed.High, VirtualSpeed.Super];

    public VirtualDevice Make() => new(new DeviceDescription
    {
        Speed = s_speeds[random.Below(s_speeds.Length)],
        UsbVersion = 0x0210,
        Configurations =
        [
            // One configuration: libusb refuses the whole device when it cannot tell where the next one begins.
            new ConfigurationDescription([.. Enumerable.Range(0, random.Below(4)).Select(number => Interface((byte)number))])
            {
                MaxPowerMilliamps = random.Below(500),
                Extra = random.Below(3) == 0 ? Run() : default,
            },
        ],
        Capabilities = [.. Enumerable.Range(0, random.Below(5)).Select(_ => Capability())],
    });

    private InterfaceDescription Interface(byte number) =>
        new(number, [.. Enumerable.Range(0, 1 + random.Below(2)).Select(_ => Setting())]);

    private AlternateSetting Setting() => new([.. Enumerable.Range(1, random.Below(4)).Select(Endpoint)])
    {
        Class = (byte)random.Below(256),
        Extra = random.Below(2) == 0 ? Run() : default,
    };

    private EndpointDescription Endpoint(int number) => new((byte)(number | (random.Below(2) << 7)), (EndpointKind)random.Below(4), random.Below(512))
    {
        Interval = (byte)random.Below(256),
        SyncAndUsage = (byte)(random.Below(16) << 2),
        Audio = random.Below(4) == 0 ? ((byte)random.Below(256), (byte)random.Below(256)) : null,
        Extra = random.Below(3) == 0 ? Run() : default,
    };

    // A length of more than 255 bytes wraps: the descriptor then says 0, 1, 2 or a few bytes, and the rest is read as something else.
    private DeviceCapability Capability() => new((byte)random.Below(12), Bytes(random.Below(10) == 0 ? 250 + random.Below(10) : random.Below(50)));

    /// <summary>Descriptors in a row, some of which are not what they say.</summary>
    private byte[] Run()
    {
        var bytes = new List<byte>();
        int count = random.Below(6);
        for (int i = 0; i < count; i++)
        {
            byte[] one = Descriptor();
            if (random.Below(6) == 0)
                one[0] = (byte)random.Below(256); // a length that does not fit
            if (random.Below(8) == 0)
                one[random.Below(one.Length)] = (byte)random.Below(256);
            bytes.AddRange(one);
        }

        if (bytes.Count > 0 && random.Below(5) == 0)
            bytes.RemoveRange(bytes.Count - 1, 1); // an end in the middle
        return [.. bytes];
    }

    private byte[] Descriptor() => random.Below(8) switch
    {
        0 or 1 => [9, 4, (byte)random.Below(4), (byte)random.Below(4), (byte)random.Below(random.Below(8) == 0 ? 256 : 5), .. Bytes(4)],
        2 or 3 => [7, 5, (byte)random.Below(256), (byte)random.Below(256), .. Bytes(3)],
        4 => [9, 5, .. Bytes(7)], // of an audio endpoint
        5 => [6, 0x30, .. Bytes(4)], // a companion
        6 => [8, 0x0b, .. Bytes(6)], // an association
        _ => ClassSpecific(),
    };

    private byte[] ClassSpecific()
    {
        byte[] bytes = Bytes(2 + random.Below(20));
        bytes[0] = (byte)bytes.Length;
        return bytes;
    }

    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
            bytes[i] = (byte)random.Below(256);
        return bytes;
    }
}
